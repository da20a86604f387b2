"""Every family's loss terms have words, and keep their keys."""

from itertools import combinations

import pytest

from benchmarks.report.figures.loss_terms import player_in_words, term_in_words
from tests.helpers import tiny_game, turn_losses
from zoo.registry import FAMILIES, about


@pytest.mark.parametrize("family", FAMILIES)
def test_every_term_is_put_in_words(family: str) -> None:
    game = tiny_game(family)
    for turn in game.turns:
        for player, terms in turn_losses(game, turn.name).items():
            keys = [f"{player}/{term}" for term in terms]
            assert [
                key for key in keys if not about(family).labels.keys() & {key, key.split("/")[1]}
            ] == []
            assert len({term_in_words(key, family) for key in keys}) == len(keys)


def test_the_exact_key_stands_behind_the_words() -> None:
    said = term_in_words("latent_critic/hat", "aegan")
    assert said == "E(x) called no prior draw  [latent_critic/hat]"
    assert player_in_words("generator_encoder") == "generator encoder"
    assert player_in_words("image_critic") == "image critic"


@pytest.mark.parametrize("key", ["mine/my_term", "discriminator/real", "critic/difference"])
def test_the_terms_of_a_family_from_outside_keep_their_own_words(key: str) -> None:
    words = key.split("/")[1].replace("_", " ")
    assert term_in_words(key, "families/mine.py") == f"{words}  [{key}]"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_term_with_another_sign_has_other_words(family: str) -> None:
    """What two players share by name, and one minimises as the other maximises."""
    game, found = tiny_game(family), {}
    for turn in game.turns:
        for player, terms in turn_losses(game, turn.name).items():
            found |= {f"{player}/{term}": value.item() for term, value in terms.items()}
    for (one, a), (other, b) in combinations(found.items(), 2):
        if one.split("/")[1] == other.split("/")[1] and a == pytest.approx(-b):
            said = [term_in_words(key, family).split("  [")[0] for key in (one, other)]
            assert said[0] != said[1]
