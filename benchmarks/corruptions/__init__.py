"""What each metric reacts to."""
