"""Runs kept in a log that other tools show: TensorBoard or MLflow, as the user chooses."""
