"""How good a model is: back-tests through the serving engine, measures, baselines."""
