"""Stories, and what must stay true."""
