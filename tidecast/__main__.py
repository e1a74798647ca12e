"""`python -m tidecast` is the command `tidecast`."""

from tidecast.cli import main

main()
