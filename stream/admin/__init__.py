"""`tidecast state`: what is stored, and the changes that resolve a stop."""
