"""Worked examples: data, a recipe for each, and one command that makes a bundle of them."""
