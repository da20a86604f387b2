"""The only training loop. It knows players and turns; it knows no GAN, no critic and no encoder."""

import json
import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.utils import parametrize

from benchmarks.config import Run, TrainingSettings
from benchmarks.files import read_lines, whole, write_json, write_text
from benchmarks.harness import checkpoints, gradients
from benchmarks.harness.meters import Clock, LossMeter
from benchmarks.harness.optimisers import PlayerOptimiser, averaged_state
from benchmarks.harness.streams import Streams, derive
from datasets.images import Split, to_range
from datasets.registry import DATASETS
from zoo.assembly import assemble
from zoo.game import Batch, Game, Losses, Turn

READ_EVERY = 50
"""Steps between two readings of the losses: a line of the curve and the check for divergence."""
CHECKPOINT_SECONDS = 20.0
FIRST_OBSERVATION = 50

Status = Literal["trained", "diverged", "interrupted"]


@dataclass(frozen=True)
class Watch:
    """What the loop tells the outside, and asks it.

    Attributes:
        progress: (step, mean losses) at each reading.
        observe: (game, step) -> light metrics, at log-spaced steps; may not touch the game.
        stop: asked after each step; True ends the run with a checkpoint.
        say: a line for the user.

    """

    progress: Callable[[int, Mapping[str, float]], None] = lambda step, losses: None
    observe: Callable[[Game, int], Mapping[str, Any]] | None = None
    stop: Callable[[], bool] = lambda: False
    say: Callable[[str], None] = print


def build(run: Run) -> Game:
    """Assemble a run's game on the CPU with its first weights."""
    return assemble(
        run.game,
        run.options,
        **run.networks.model_dump(),
        image_shape=DATASETS[run.dataset].image_shape,
        seed_of=lambda network: derive(0, run.dataset, run.seed, "weights", network),
    )


def train(run: Run, data: Split, folder: Path, device: torch.device, watch: Watch) -> Status:
    """Train a run to its end, from its checkpoint if it has one.

    Leaves in `folder`: curve.jsonl, light.jsonl, weights.safetensors (and
    weights_average.safetensors where a player keeps averages), training.json with the status; a
    checkpoint while unfinished.

    Args:
        run: what to train.
        data: the training split, on `device`.
        folder: the run's own folder.
        device: where to train.
        watch: the outside.

    """
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    training = Training(run, data, folder, device, watch)
    return training.play()


class Training:
    """A run under way: the game, its optimisers, streams and meters."""

    def __init__(
        self, run: Run, data: Split, folder: Path, device: torch.device, watch: Watch
    ) -> None:
        self.run, self.data, self.folder, self.device, self.watch = run, data, folder, device, watch
        self.settings: TrainingSettings = run.training
        self.game = build(run).to(device).train().requires_grad_(False)
        self.optimisers = {
            name: PlayerOptimiser(self.game, player) for name, player in self.game.players.items()
        }
        self.streams = Streams(device, 0, run.dataset, run.seed)
        self.meter = LossMeter()
        self.step = 0
        self.clock = Clock(device)
        self._resume()

    def play(self) -> Status:
        """Play turns until the budget is spent, something diverges, or the outside says stop."""
        saved = time.monotonic()
        self.clock.go()
        while self.step < self.settings.steps:
            for turn in self.game.turns:
                for _ in range(turn.repeats):
                    self._play(turn)
            self.step += 1
            self.clock.step()
            if self.step % READ_EVERY == 0 or self.step == self.settings.steps:
                if not self._read():
                    return self._finish("diverged")
            if is_observed(self.step, self.settings.steps):
                self._observe()
            if self.watch.stop():
                self._save()
                return "interrupted"
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                self._save()
                saved = time.monotonic()
        return self._finish("trained")

    def _play(self, turn: Turn) -> None:
        batch, autocast = self.draw(), self.autocast()
        self.meter.add(play_turn(self.game, turn, batch, self.step, self.optimisers, autocast))

    def draw(self) -> Batch:
        """Draw what one turn is played on."""
        n, game = self.settings.batch_size, self.game
        images, labels = self.data.draw(n, self.streams["data"])
        z = (
            game.sample_prior(n, self.streams["prior"])
            if game.prior is not None
            else torch.empty(n, 0, device=self.device)
        )
        noise = {
            name: torch.randn(n, *shape, generator=self.streams["noise"], device=self.device)
            for name, shape in game.noise.items()
        }
        return Batch(to_range(images, *game.image_range), labels, z, noise)

    def autocast(self) -> AbstractContextManager[object]:
        """Return the context of a forward at the run's precision."""
        bf16 = self.settings.precision == "bf16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=bf16)

    def _read(self) -> bool:
        """Write a line of the curve; False if a loss or parameter is not finite."""
        means = self.meter.read()
        finite = all(map(math.isfinite, means.values())) and all(
            bool(torch.isfinite(p).all()) for p in self.game.parameters()
        )
        self.clock.pause()
        shown = {name: mean if math.isfinite(mean) else None for name, mean in means.items()}
        line = {"step": self.step, "seconds": round(self.clock.seconds, 4), **shown}
        _append(self.folder / "curve.jsonl", line)
        self.watch.progress(self.step, means)
        self.clock.go()
        return finite

    def _observe(self) -> None:
        if self.watch.observe is None:
            return
        self.clock.pause()
        line = {"step": self.step, "seconds": round(self.clock.seconds, 4)}
        _append(self.folder / "light.jsonl", line | dict(self.watch.observe(self.game, self.step)))
        self.clock.go()

    def _save(self) -> None:
        self.clock.pause()
        state = {
            "device": self.device.type,
            "step": self.step,
            "game": self.game.state_dict(),
            "optimisers": {name: o.state_dict() for name, o in self.optimisers.items()},
            "streams": self.streams.state_dict(),
            "meter": {"sums": self.meter.sums, "counts": self.meter.counts},
            "clock": self.clock.state_dict(),
        }
        checkpoints.save(self.folder, state)
        self.clock.go()

    def _resume(self) -> None:
        state = checkpoints.load(self.folder, self.device, self.watch.say)
        if state is not None:
            self.step = state["step"]
            self.game.load_state_dict(state["game"])
            for name, optimiser in self.optimisers.items():
                optimiser.load_state_dict(state["optimisers"][name])
            self.streams.load_state_dict(state["streams"])
            self.meter.sums = {k: v.to(self.device) for k, v in state["meter"]["sums"].items()}
            self.meter.counts = state["meter"]["counts"]
            self.clock.load_state_dict(state["clock"])
        for name in ("curve.jsonl", "light.jsonl"):
            _keep_until(self.folder / name, self.step)

    def _pace(self) -> float | None:
        pace = self.clock.steps_per_second
        return None if pace is None else pace * self.settings.batch_size

    def _finish(self, status: Status) -> Status:
        self.clock.pause()
        if status == "trained":
            save_weights(self.folder / "weights.safetensors", self.game.state_dict())
            averaged = averaged_state(self.game, self.optimisers)
            if averaged is not None:
                save_weights(self.folder / "weights_average.safetensors", averaged)
        outcome: dict[str, Any] = {
            "status": status,
            "steps": self.step,
            "train_seconds": round(self.clock.seconds, 3),
            "train_images_per_second": self._pace(),
            "peak_memory_mib": self.clock.peak_mib,
            "parameters": sum(p.numel() for p in self.game.parameters()),
        }
        write_json(self.folder / "training.json", outcome)
        (self.folder / checkpoints.FILE).unlink(missing_ok=True)
        return status


def play_turn(
    game: Game,
    turn: Turn,
    batch: Batch,
    step: int,
    optimisers: Mapping[str, PlayerOptimiser],
    autocast: AbstractContextManager[object],
) -> Losses:
    """Play one turn: freeze what does not move, take all gradients, then let all players step."""
    arrange(game, turn, optimisers)
    # Parametrised weights (spectral norm) are computed once a turn, the same for real and fake.
    with parametrize.cached(), autocast:
        losses = game.losses(turn.name, batch, step)
    parameters = {player: optimisers[player].parameters for player in turn.players}
    grads = gradients.take(game, turn, losses, parameters)
    for player in turn.players:
        optimisers[player].move(grads[player], step)
    return losses


def arrange(game: Game, turn: Turn, optimisers: Mapping[str, PlayerOptimiser]) -> None:
    """Freeze what does not move and set each network's mode; touches only what differs."""
    movers = [optimisers[player] for player in turn.players]
    for optimiser in optimisers.values():
        if optimiser not in movers:
            optimiser.let_move(False)
    for optimiser in movers:
        optimiser.let_move(True)
    for name, network in game.networks.items():
        if network.training == (name in turn.inference):
            network.train(name not in turn.inference)


def is_observed(step: int, steps: int) -> bool:
    """Whether a light evaluation falls on this step: 50, 100, 200, 400, ... before the last."""
    doublings, rest = divmod(step, FIRST_OBSERVATION)
    return rest == 0 and doublings > 0 and doublings & (doublings - 1) == 0 and step < steps


def save_weights(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write weights as safetensors, whole."""
    with whole(path) as draft:
        save_file({name: tensor.contiguous() for name, tensor in state.items()}, draft)


def _append(path: Path, row: Mapping[str, Any]) -> None:
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")


def _keep_until(path: Path, step: int) -> None:
    if path.exists():
        rows = [row for row in read_lines(path) if row["step"] <= step]
        write_text(path, "".join(json.dumps(row) + "\n" for row in rows))
