"""Series to learn from: read from CSV, split by time, or drawn from a documented mixture."""
