"""Everything that speaks to Kafka: fetches, the log read again, output, administration."""
