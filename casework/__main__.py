"""`python -m casework`: what an administrator types."""

from casework.cli import main

main()
