"""The pure core of the worker, and its checkpoint protocol."""
