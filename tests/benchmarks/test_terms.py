"""Every family's loss terms have words, and keep their keys."""

import pytest

from benchmarks.report.terms import TERMS, player_in_words, term_in_words
from tests.helpers import tiny_game, turn_losses
from zoo.registry import FAMILIES


@pytest.mark.parametrize("family", FAMILIES)
def test_every_term_is_put_in_words(family: str) -> None:
    game = tiny_game(family)
    for turn in game.turns:
        for player, terms in turn_losses(game, turn.name).items():
            keys = [f"{player}/{term}" for term in terms]
            assert [key for key in keys if not TERMS.keys() & {key, key.split("/")[1]}] == []
            assert len({term_in_words(key) for key in keys}) == len(keys)


def test_the_exact_key_stands_behind_the_words() -> None:
    assert term_in_words("latent_critic/hat") == "E(x) called no prior draw  [latent_critic/hat]"
    assert term_in_words("mine/my_term") == "my term  [mine/my_term]"
    assert player_in_words("generator_encoder") == "generator and encoder"
    assert player_in_words("image_critic") == "image critic"
