"""What is kept when processes die without warning."""
