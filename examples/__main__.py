"""`python -m examples`."""

from examples.cli import main

main()
