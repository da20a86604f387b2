"""Small experiments on what papers prove, where theory says what should be seen."""
