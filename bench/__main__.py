"""`python -m bench`."""

from bench.cli import main

# Child processes of a bench import this file under another name.
if __name__ == "__main__":
    main()
