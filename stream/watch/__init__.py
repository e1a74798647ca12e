"""What watches over a worker: lag, health, watchdogs, the parent that starts it again."""
