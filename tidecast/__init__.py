"""Tidecast: streaming real-time forecasts. This package is the contract and the client."""
