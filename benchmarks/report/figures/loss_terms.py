"""Loss terms and players in words, for the legends of figures."""

from zoo.registry import about


def player_in_words(player: str) -> str:
    """Return a player's name for a title."""
    return player.replace("_", " ")


def term_in_words(key: str, family: str) -> str:
    """Return what a term looks at, with its exact key "player/term" of curve.jsonl behind it.

    Args:
        key: as in curve.jsonl.
        family: the family that is played, whose file has the words.

    """
    term = key.split("/", 1)[1]
    labels = about(family).labels
    return f"{labels.get(key) or labels.get(term) or term.replace('_', ' ')}  [{key}]"
