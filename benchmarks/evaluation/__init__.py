"""The frozen evaluation protocol: one file per question, one registry of metrics."""
