"""The one training loop and what it keeps; it knows players and turns, and no family."""
