"""The model zoo: every family is a game over the same networks (see `zoo.game`)."""
