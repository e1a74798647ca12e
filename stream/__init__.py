"""The worker: observations in from Kafka, forecasts out, windows and state in Redis."""
