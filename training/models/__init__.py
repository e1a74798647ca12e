"""Model families, one a file, and the parts they share."""
