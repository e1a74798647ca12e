"""What a forecast rests on, and for whom it is worse."""
