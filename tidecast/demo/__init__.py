"""The demo: real servers, a worker, this machine's own metrics, and a view of their forecasts."""
