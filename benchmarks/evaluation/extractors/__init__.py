"""Feature extractors: our own networks with their weights, and Inception."""
