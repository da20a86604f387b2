"""A turn: gradients before steps, optimisers by hand, streams, the steps that are observed."""

import math
from datetime import timedelta
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks.training import gradients
from benchmarks.training.eager import play_turn
from benchmarks.training.loop import is_observed
from benchmarks.training.optimiser import PlayerOptimiser, averaged_state, clipped
from benchmarks.training.rng import Streams, derive
from tests.helpers import tiny_batch, tiny_game
from zoo.game import Batch, Clip, Game, Losses, Player, Turn
from zoo.priors import Normal
from zoo.registry import FAMILIES

CPU = torch.device("cpu")
NO_CAST = torch.autocast("cpu", enabled=False)
PATIENCE = timedelta(minutes=30)
"""How long two processes wait for each other: as if for ever, unless one of them has died."""


class Scalar(nn.Module):
    """One parameter, w."""

    w: nn.Parameter

    def __init__(self, value: float) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor([value]))


class Bilinear(Game):
    """min_a max_b a b: the plainest game whose simultaneous and alternating answers differ."""

    def __init__(self, turns: tuple[Turn, ...], **player: object) -> None:
        super().__init__({"a": Scalar(1.0), "b": Scalar(2.0)}, Normal(1))
        self.players = {
            "min": Player(("a",), lr=0.1, **player),  # type: ignore[arg-type]
            "max": Player(("b",), lr=0.1, **player),  # type: ignore[arg-type]
        }
        self.turns = turns
        self.seen: list[tuple[float, float]] = []

    def losses(self, turn: str, batch: Batch, step: int) -> Losses:
        a, b = self.networks["a"].w, self.networks["b"].w
        self.seen.append((a.item(), b.item()))
        both = {"min": {"value": (a * b).sum()}, "max": {"value": -(a * b).sum()}}
        return {player: both[player] for player in turn.split("+")}


BATCH = Batch(torch.zeros(1, 1, 1, 1), torch.zeros(1), torch.zeros(1, 1), {})
BOTH = (Turn("min+max", ("min", "max")),)
IN_TURN = (Turn("min", ("min",)), Turn("max", ("max",)))


def play(game: Game, steps: int = 1) -> dict[str, PlayerOptimiser]:
    game.requires_grad_(False)
    optimisers = {name: PlayerOptimiser(game, player) for name, player in game.players.items()}
    for step in range(steps):
        for turn in game.turns:
            for _ in range(turn.repeats):
                play_turn(game, turn, BATCH, step, optimisers, NO_CAST)
    return optimisers


def test_simultaneous_gradients_are_taken_before_any_step() -> None:
    simultaneous, alternating = Bilinear(BOTH), Bilinear(IN_TURN)
    play(simultaneous)
    play(alternating)
    assert simultaneous.seen == [(1.0, 2.0)]
    assert alternating.seen[1] == (pytest.approx(0.9), 2.0)  # b's turn sees a already moved


@pytest.mark.parametrize("turns", [BOTH, IN_TURN])
def test_bilinear_game_against_adam_by_hand(turns: tuple[Turn, ...]) -> None:
    game = Bilinear(turns)
    play(game, steps=3)
    a, b, state = 1.0, 2.0, {"a": (0.0, 0.0), "b": (0.0, 0.0)}

    def adam(name: str, g: float, t: int) -> float:
        m, v = state[name]
        m, v = 0.5 * m + 0.5 * g, 0.999 * v + 0.001 * g * g
        state[name] = (m, v)
        return 0.1 * (m / (1 - 0.5**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)

    for t in (1, 2, 3):
        if turns is BOTH:
            a, b = a - adam("a", b, t), b - adam("b", -a, t)
        else:
            a = a - adam("a", b, t)
            b = b - adam("b", -a, t)
    assert game.networks["a"].w.item() == pytest.approx(a, abs=1e-5)
    assert game.networks["b"].w.item() == pytest.approx(b, abs=1e-5)


def test_l2_is_added_to_the_gradient_before_adam() -> None:
    # Coupled: g + l2 w. At w = 1 with l2 = 0.5 a gradient of -0.5 cancels it, and nothing moves;
    # decoupled decay (AdamW) would move by lr (0.5 - 1 * sign).
    game = Bilinear(BOTH)
    optimiser = PlayerOptimiser(game, Player(("a",), lr=0.1, l2=0.5))
    optimiser.move([torch.tensor([-0.5])], 0)
    assert game.networks["a"].w.item() == pytest.approx(1.0, abs=1e-6)


def test_learning_rate_per_network_and_schedule() -> None:
    game = Bilinear(BOTH)
    player = Player(("a", "b"), lr={"a": 0.1, "b": 0.01}, schedule=lambda step: 0.5**step)
    optimiser = PlayerOptimiser(game, player)
    optimiser.move([torch.ones(1), torch.ones(1)], 1)
    assert game.networks["a"].w.item() == pytest.approx(1 - 0.05, abs=1e-5)
    assert game.networks["b"].w.item() == pytest.approx(2 - 0.005, abs=1e-5)


def test_a_factor_times_every_learning_rate() -> None:
    game = Bilinear(BOTH)
    optimiser = PlayerOptimiser(game, game.players["min"], lr_factor=0.5)
    optimiser.move([torch.ones(1)], 0)
    assert game.networks["a"].w.item() == pytest.approx(1 - 0.5 * 0.1)  # Adam's first step is lr


def test_shared_loss_is_differentiated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    game = Bilinear(BOTH)
    loss = (game.networks["a"].w * game.networks["b"].w).sum()
    calls = []
    real = torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *a, **k: calls.append(1) or real(*a, **k))
    parameters = {"min": [game.networks["a"].w], "max": [game.networks["b"].w]}
    grads = gradients.take(game, BOTH[0], {"min": {"v": loss}, "max": {"v": loss}}, parameters)
    assert len(calls) == 1
    assert grads["min"][0].item() == 2.0
    assert grads["max"][0].item() == 1.0


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        (lambda a, b: {"min": {"v": (b * b).sum()}}, "depends on no parameter|does not use"),
        (lambda a, b: {"min": {"v": a * b}}, "must be a scalar"),
        (lambda a, b: {"max": {"v": (a * b).sum()}}, "losses came for"),
    ],
)
def test_wrong_losses_are_errors(losses, message: str) -> None:
    game = Bilinear(BOTH)
    a, b = game.networks["a"].w, game.networks["b"].w
    turn = Turn("min", ("min",))
    with pytest.raises(ValueError, match=message):
        gradients.take(game, turn, losses(a, b), {"min": [a]})


def _one_of_two(rank: int, folder: Path) -> float:
    """Return the gradient of one of two processes, each of which has other data."""
    group = torch.distributed
    store = group.FileStore(str(folder / "store"), 2)
    group.init_process_group("gloo", store=store, rank=rank, world_size=2, timeout=PATIENCE)
    try:
        game = Bilinear(BOTH)
        a, b = game.networks["a"].w, game.networks["b"].w
        loss = (1 + rank) * (a * b).sum()
        grads = gradients.take(game, Turn("min", ("min",)), {"min": {"v": loss}}, {"min": [a]})
        # Who leaves first closes connections, perhaps while the other still reads from them.
        store.set(f"read by {rank}", "")
        store.wait(["read by 0", "read by 1"], PATIENCE)
    finally:
        group.destroy_process_group()
    return grads["min"][0].item()


def _the_other(folder: Path) -> None:
    (folder / "gradient").write_text(str(_one_of_two(1, folder)))


@pytest.mark.slow
def test_data_parallel_gradients_are_averaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes: the test's own and one that it starts."""
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    other = torch.multiprocessing.get_context("spawn").Process(target=_the_other, args=(tmp_path,))
    other.start()
    mean = pytest.approx((2 + 4) / 2)
    assert _one_of_two(0, tmp_path) == mean
    other.join()
    assert float((tmp_path / "gradient").read_text()) == mean


def test_clipping_by_hand() -> None:
    grads = [torch.tensor([3.0, 4.0]), torch.tensor([0.3, 0.4])]
    each = clipped(grads, Clip(1.0, "tensor"))
    assert torch.allclose(each[0], torch.tensor([0.6, 0.8]))
    assert torch.allclose(each[1], grads[1])  # already short enough
    whole = clipped(grads, Clip(1.0, "player"))
    norm = math.sqrt(25 + 0.25)
    assert torch.allclose(whole[0], grads[0] / norm)
    assert torch.allclose(whole[1], grads[1] / norm)
    stacked = [torch.stack([grad, 0.01 * grad]) for grad in grads]
    for of in ("tensor", "player"):
        both = clipped(stacked, Clip(1.0, of), stacked=True)  # type: ignore[arg-type]
        alone = clipped(grads, Clip(1.0, of))  # type: ignore[arg-type]
        for seeds, one, long in zip(both, alone, stacked, strict=True):
            assert torch.allclose(seeds[0], one)
            assert torch.equal(seeds[1], long[1])  # the other seed is short enough


def test_averaged_weights_by_hand() -> None:
    game = Bilinear(BOTH, average=0.75)
    values = [1.0]
    optimisers = {name: PlayerOptimiser(game, player) for name, player in game.players.items()}
    game.requires_grad_(False)
    for step in range(2):
        play_turn(game, BOTH[0], BATCH, step, optimisers, NO_CAST)
        values.append(game.networks["a"].w.item())
    expected = 0.75 * (0.75 * values[0] + 0.25 * values[1]) + 0.25 * values[2]
    state = averaged_state(game, optimisers)
    assert state is not None
    assert state["a.w"].item() == pytest.approx(expected)
    assert averaged_state(Bilinear(BOTH), play(Bilinear(BOTH))) is None


def test_transposed_gradients_are_not_scrambled() -> None:
    game = Bilinear(BOTH)
    game.networks["a"].w = nn.Parameter(torch.zeros(3, 2))
    optimiser = PlayerOptimiser(game, Player(("a",), lr=0.1))
    gradient = torch.tensor([[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0]]).t()
    assert not gradient.is_contiguous()
    optimiser.move([gradient], 0)
    assert torch.allclose(game.networks["a"].w, -0.1 * gradient, atol=1e-5)


def test_streams_are_independent_and_resumable() -> None:
    assert derive(0, "digits", 1) != derive(0, "digits", 2)
    assert derive("a", "bc") != derive("ab", "c")
    streams = Streams(CPU, "axes")
    first = [torch.rand(1, generator=streams[n]).item() for n in ("data", "prior", "noise")]
    assert len({*first, torch.rand(1).item()}) == 4  # each stream has numbers of its own
    fresh = Streams(CPU, "axes")
    torch.rand(3, generator=fresh["data"])
    assert torch.rand(1, generator=fresh["prior"]).item() == first[1]  # whatever the others drew
    torch.rand(3, generator=streams["data"])
    state = streams.state_dict()
    expected = [torch.rand(1, generator=streams[n]) for n in ("data", "prior", "noise")]
    expected.append(torch.rand(1))
    other = Streams(CPU, "others")
    other.load_state_dict(state)
    found = [torch.rand(1, generator=other[n]) for n in ("data", "prior", "noise")]
    found.append(torch.rand(1))
    assert all(map(torch.equal, expected, found))


def test_light_evaluations_fall_on_doublings_with_200_among_them() -> None:
    steps = [s for s in range(1, 3001) if is_observed(s, 3000)]
    assert steps == [50, 100, 200, 400, 800, 1600]
    assert not is_observed(50, 50)  # the last step has the full evaluation


@pytest.mark.parametrize("family", FAMILIES)
def test_a_turn_runs_in_bf16(family: str) -> None:
    game = tiny_game(family).requires_grad_(False)
    optimisers = {name: PlayerOptimiser(game, player) for name, player in game.players.items()}
    for turn in game.turns:
        cast = torch.autocast("cpu", dtype=torch.bfloat16)
        play_turn(game, turn, tiny_batch(game), 0, optimisers, cast)
    assert all(p.dtype == torch.float32 and p.isfinite().all() for p in game.parameters())
