"""The benchmark: plan, train, evaluate, report, check. Stages meet in files."""
