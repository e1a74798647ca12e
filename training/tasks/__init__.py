"""What a model is asked: a task names the target; its head turns a net's numbers into answers."""
