"""Benches: one question each, asked of the real servers. Run `scripts/bench --help`."""
