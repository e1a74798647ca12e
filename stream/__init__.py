"""The worker: observations in from Kafka, forecasts out, windows and state in Redis.

The modules here are the path of an observation; `docs/architecture.md` walks along it. Rooms:
`series` holds the rows of all series, `state` their checkpoints, `kafka` speaks to Kafka, `watch`
watches over the worker, `admin` answers an operator, `testing` has stand-ins of every service.
"""
