"""The guard of the worker's speed: a ratio to stock Faust, and counts that no machine changes."""
