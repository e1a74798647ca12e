"""A finished bundle made lighter: int8, pruned, or a smaller net taught by it; always measured."""
