"""What a model sees of a window: scaled values, and features computed inside the graph."""
