"""From a recipe and its data to a graph, whatever the family."""
