"""The classic families: scikit-learn's estimators behind our front, as one graph."""
