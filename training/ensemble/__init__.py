"""Several finished bundles as one graph: mean, median, or a weighted mean fitted on validation."""
