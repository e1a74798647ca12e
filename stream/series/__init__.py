"""All series of a partition: their rows, their ids, who is let in and who is dropped."""
