"""Commands of `python -m training` by idea; each parses and calls, no more."""
