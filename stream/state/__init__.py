"""Checkpoints in Redis: the protocol, what it is stored in, and how a partition recovers."""
