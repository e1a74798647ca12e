"""Tests of the benches: that a tiny run gives figures, and that counts are exact."""
