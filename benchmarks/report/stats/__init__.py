"""Intervals, comparisons and verdicts over training seeds."""
