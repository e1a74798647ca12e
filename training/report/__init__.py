"""What a bundle shows of itself: one HTML page that needs nothing else."""
