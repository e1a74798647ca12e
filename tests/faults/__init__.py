"""Faults on purpose, on the real servers: short forms of what `scripts/bench faults` runs."""
