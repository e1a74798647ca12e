"""Tests. Run them with `pytest`; the real servers start by themselves."""
