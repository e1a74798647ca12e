"""The offline side: history in, a verified model bundle out."""
