"""What is in the data, as numbers, as text and as a page."""
