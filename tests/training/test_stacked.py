"""Seeds trained at once: the same numbers as each alone, and whoever else is there."""

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from benchmarks.training.eager import EagerEngine
from benchmarks.training.loop import build
from benchmarks.training.stacked import StackedEngine
from tests.helpers import IMAGE, tiny_run
from zoo.contract import Batch, Losses, Player, Turn
from zoo.game import Game
from zoo.priors import Normal
from zoo.registry import FAMILIES

CPU = torch.device("cpu")
SETTINGS = tiny_run("gan").training
PAIR = SETTINGS.model_copy(update={"stacked": 2})
BATCH = 64
STEPS = 30


def games_of(family: str, seeds: int, width: int = 16, body: str = "mlp") -> list[Game]:
    tiny = tiny_run(family, body=body)
    sizes = {"networks": tiny.networks.model_copy(update={"width": width})}
    runs = [tiny.model_copy(update={"seed": seed, **sizes}) for seed in range(seeds)]
    return [build(run).train().requires_grad_(False) for run in runs]


def batch_of(game: Game, generator: torch.Generator, dtype: torch.dtype) -> Batch:
    def draw(*shape: int) -> Tensor:
        return torch.randn(BATCH, *shape, generator=generator, dtype=dtype)

    z = draw(game.prior.dim) if game.prior is not None else draw(0)
    noise = {name: draw(*shape) for name, shape in game.noise.items()}
    return Batch(draw(*IMAGE).tanh(), torch.zeros(BATCH, dtype=torch.long), z, noise)


def play(
    engine: EagerEngine | StackedEngine,
    games: list[Game],
    steps: int,
    dtype: torch.dtype,
    first: int = 0,
) -> list[dict[str, float]]:
    """Play steps on each seed's own numbers; return the sums of each seed's terms at the last."""
    generators = [torch.Generator().manual_seed(first + seed) for seed in range(len(games))]
    losses: Losses = {}
    for step in range(steps):
        for turn in games[0].turns:
            for _ in range(turn.repeats):
                pairs = zip(games, generators, strict=True)
                batches = [batch_of(game, generator, dtype) for game, generator in pairs]
                losses = engine.play(turn, batches, step)
    return [
        {f"{p}/{t}": v[seed].item() for p, terms in losses.items() for t, v in terms.items()}
        for seed in range(len(games))
    ]


# Each weight counts, over more steps than golden trainings have and in batches that fill vectors.
QUICK = [("bigan_qp", "mlp"), ("ali", "ali_toy_paper")]
"""Several turns, buffers and maxout; every other family with the long tests."""
PAIRS = [*((family, "mlp") for family in FAMILIES), ("gan", "ali_toy_paper"), QUICK[1]]


@pytest.mark.parametrize(
    ("family", "body"),
    [pytest.param(*pair, marks=[] if pair in QUICK else pytest.mark.long) for pair in PAIRS],
)
def test_together_equals_alone(family: str, body: str) -> None:
    # In double precision: in single, Adam's first steps turn rounding into another sign.
    games = [game.double() for game in games_of(family, 2, body=body)]
    alone = deepcopy(games)
    losses = play(StackedEngine(games, [0, 1], CPU, PAIR), games, STEPS, torch.float64)
    for seed, (one, other) in enumerate(zip(alone, games, strict=True)):
        engine = EagerEngine(one, CPU, SETTINGS)
        expected = play(engine, [one], STEPS, torch.float64, first=seed)[0]
        assert losses[seed] == pytest.approx(expected, rel=1e-5, abs=1e-7)
        moved, state = other.state_dict(), one.state_dict()
        for name in state:
            assert torch.allclose(state[name], moved[name], rtol=1e-5, atol=1e-7), name


def test_seeds_of_two_stacks_are_refused() -> None:
    with pytest.raises(ValueError, match=r"seeds \[0, 2\] do not all fit in one stack of 2"):
        StackedEngine(games_of("gan", 2), [0, 2], CPU, PAIR)


class Weight(nn.Module):
    """One parameter, w."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.ones(1))


class Ramp(Game):
    """A loss whose weight grows with the step; `noisy` draws numbers of its own."""

    def __init__(self, noisy: bool = False) -> None:
        super().__init__({"G": Weight()}, Normal(1))
        self.noisy = noisy
        self.players = {"only": Player(("G",), lr=0.0)}
        self.turns = (Turn("all", ("only",)),)

    def losses(self, turn: str, batch: Batch, step: int) -> Losses:
        extra = torch.rand(1).sum() if self.noisy else 0.0
        return {"only": {"ramp": (self.networks["G"].w * step).sum() + extra}}


def test_the_step_is_told() -> None:
    games: list[Game] = [Ramp().requires_grad_(False) for _ in range(2)]
    engine = StackedEngine(games, [0, 1], CPU, PAIR)
    empty = Batch(*(torch.zeros(1, 1) for _ in range(3)), {})
    for step in (3, 5):
        losses = engine.play(games[0].turns[0], [empty, empty], step)
        assert losses["only"]["ramp"].tolist() == [step, step]
        assert engine.gradient_norms()["only"].tolist() == [step, step]


def test_random_numbers_of_its_own_are_refused() -> None:
    games: list[Game] = [Ramp(noisy=True).requires_grad_(False)]
    empty = Batch(*(torch.zeros(1, 1) for _ in range(3)), {})
    with pytest.raises(
        ValueError, match=r"turn 'all' cannot .*draws random numbers; name them in `noise`"
    ):
        StackedEngine(games, [0], CPU, PAIR).play(games[0].turns[0], [empty], 0)
