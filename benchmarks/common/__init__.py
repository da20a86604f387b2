"""What every module may use: files, errors, the console, the environment."""
