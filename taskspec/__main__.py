"""`python -m taskspec`: the command line."""

from taskspec.cli import main

main()
