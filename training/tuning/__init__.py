"""Choosing a model by its validation figure: a search over settings, or over families."""
