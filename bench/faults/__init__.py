"""Faults on purpose, on the real servers, and a verdict on what came out. See `scripts/bench`."""
