"""Cleaning of a table: steps in a recipe's order, each counted."""
