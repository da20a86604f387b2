"""What must not move: the baseline and its check, golden numbers and numerics versions."""
