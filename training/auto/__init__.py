"""Families tried one after another under a time budget; the best on validation is kept."""
