"""Where it runs: the scheduler, its worker processes, their tasks and their progress."""
