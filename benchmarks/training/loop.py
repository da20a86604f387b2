"""The only training loop. It knows players and turns; it knows no GAN, no critic and no encoder."""

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save_file
from torch import Tensor

from benchmarks.common.files import read_lines, whole, write_json, write_text
from benchmarks.planning.config import Run, TrainingSettings
from benchmarks.training import checkpoint
from benchmarks.training.eager import EagerEngine
from benchmarks.training.meters import Clock, LossMeter
from benchmarks.training.rng import Streams, derive
from benchmarks.training.stacked import StackedEngine
from datasets.images import Split, to_range
from datasets.registry import DATASETS
from zoo.build import assemble
from zoo.game import Batch, Game, Turn

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
        run.family,
        run.options,
        **run.networks.model_dump(),
        image_shape=DATASETS[run.dataset].image_shape,
        seed_of=lambda network: derive(0, run.dataset, run.seed, "weights", network),
    )


def train(
    runs: Sequence[Run],
    data: Sequence[Split],
    folders: Sequence[Path],
    device: torch.device,
    watches: Sequence[Watch],
) -> list[Status]:
    """Train a run, or several seeds of one at once, to the end, from their checkpoints if any.

    Leaves in each folder: curve.jsonl, light.jsonl, weights.safetensors (and
    weights_average.safetensors where a player keeps averages), training.json with the status; a
    checkpoint while unfinished. Seeds of other stacks, and those whose checkpoints are not at the
    same step, train in turn.

    Args:
        runs: what to train; they differ in the seed alone.
        data: each run's training split, on `device`.
        folders: each run's own folder.
        device: where to train.
        watches: the outside of each run.

    """
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    members = [Member(*own, device) for own in zip(runs, data, folders, watches, strict=True)]
    stacks: dict[tuple[int, int], list[Member]] = {}
    for member in members:
        stack = member.run.seed // (member.run.training.stacked or 1)
        stacks.setdefault((stack, member.step), []).append(member)
    for _, own in sorted(stacks.items()):
        Training(own, device).play()
    return [member.status for member in members]


class Member:
    """One run of those that train together: its game, streams and meter, and its folder."""

    def __init__(
        self, run: Run, data: Split, folder: Path, watch: Watch, device: torch.device
    ) -> None:
        self.run, self.data, self.folder, self.watch, self.device = run, data, folder, watch, device
        self.game = build(run).to(device).train().requires_grad_(False)
        self.streams = Streams(device, 0, run.dataset, run.seed)
        self.status: Status = "interrupted"
        self.saved = checkpoint.load(folder, device, watch.say)
        self.step: int = 0 if self.saved is None else self.saved["step"]
        for name in ("curve.jsonl", "light.jsonl"):
            _keep_until(folder / name, self.step)

    def draw(self) -> Batch:
        """Draw what one turn is played on."""
        n, game = self.run.training.batch_size, self.game
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

    def is_finite(self) -> bool:
        """Whether every parameter is."""
        return all(bool(torch.isfinite(p).all()) for p in self.game.parameters())

    def write_line(self, name: str, step: int, seconds: float, values: Mapping[str, Any]) -> None:
        """Append a line to curve.jsonl or light.jsonl."""
        line = {"step": step, "seconds": round(seconds, 4)} | dict(values)
        with (self.folder / name).open("a") as file:
            file.write(json.dumps(line) + "\n")


class Training:
    """Runs under way: their games, played by one engine, and what is common to them."""

    def __init__(self, members: Sequence[Member], device: torch.device) -> None:
        self.members, self.device = members, device
        self.settings: TrainingSettings = members[0].run.training
        self.turns = members[0].game.turns
        self.meter = LossMeter()
        self.step = members[0].step
        self.clock = Clock(device)
        games = [member.game for member in members]
        seeds = [member.run.seed for member in members]
        self.engine: EagerEngine | StackedEngine = (
            StackedEngine(games, seeds, device, self.settings)
            if self.settings.stacked
            else EagerEngine(games[0], device, self.settings)
        )
        self._resume()

    def play(self) -> None:
        """Play turns until the budget is spent, all diverged, or the outside says stop."""
        saved = time.monotonic()
        self.clock.go()
        while self.step < self.settings.steps and self._playing():
            for turn in self.turns:
                for _ in range(turn.repeats):
                    self.play_turn(turn)
            self.step += 1
            self.clock.step()
            if self.step % READ_EVERY == 0 or self.step == self.settings.steps:
                self._read()
            if is_observed(self.step, self.settings.steps):
                self._observe()
            if any(member.watch.stop() for member in self._playing()):
                return self._save()
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                self._save()
                saved = time.monotonic()
        self.clock.pause()
        for place, member in enumerate(self.members):
            if member in self._playing():
                self._finish(place, member, "trained")

    def play_turn(self, turn: Turn) -> None:
        """Play one turn on fresh batches of every run."""
        batches = [member.draw() for member in self.members]
        self.meter.add(self.engine.play(turn, batches, self.step))

    def _playing(self) -> list[Member]:
        return [member for member in self.members if member.status == "interrupted"]

    @property
    def _seconds(self) -> float:
        """Seconds of training so far: each run's share of what they spent together."""
        return self.clock.seconds / len(self.members)

    def _read(self) -> None:
        """Write a line of each curve; end a run whose loss or parameters are not finite."""
        means = self.meter.read(len(self.members))
        norms = {name: norm.tolist() for name, norm in self.engine.gradient_norms().items()}
        self.clock.pause()
        for place, member in enumerate(self.members):
            if member not in self._playing():
                continue
            values = means[place] | {f"{name}/grad_norm": norms[name][place] for name in norms}
            shown = {name: v if math.isfinite(v) else None for name, v in values.items()}
            member.write_line("curve.jsonl", self.step, self._seconds, shown)
            member.watch.progress(self.step, means[place])
            if not (all(map(math.isfinite, means[place].values())) and member.is_finite()):
                self._finish(place, member, "diverged")
        self.clock.go()

    def _observe(self) -> None:
        self.clock.pause()
        for member in self._playing():
            if member.watch.observe is not None:
                seen = member.watch.observe(member.game, self.step)
                member.write_line("light.jsonl", self.step, self._seconds, seen)
        self.clock.go()

    def _save(self) -> None:
        self.clock.pause()
        for place, member in enumerate(self.members):
            if member in self._playing():
                state = {
                    "device": self.device.type,
                    "step": self.step,
                    "game": {name: t.clone() for name, t in member.game.state_dict().items()},
                    "optimisers": self.engine.state_dict(place),
                    "streams": member.streams.state_dict(),
                    "meter": self.meter.state_dict(place),
                    "clock": self.clock.state_dict(len(self.members)),
                }
                checkpoint.save(member.folder, state)
        self.clock.go()

    def _resume(self) -> None:
        states = [member.saved for member in self.members]
        for place, (member, state) in enumerate(zip(self.members, states, strict=True)):
            if state is not None:
                member.game.load_state_dict(state["game"])
                self.engine.load_state_dict(state["optimisers"], place)
                member.streams.load_state_dict(state["streams"])
            member.saved = None
        present = [state for state in states if state is not None]
        if present:
            self.meter.load_state_dict([state["meter"] for state in present], self.device)
            self.clock.load_state_dict([state["clock"] for state in present])

    def _finish(self, place: int, member: Member, status: Status) -> None:
        member.status = status
        if status == "trained":
            save_weights(member.folder / "weights.safetensors", member.game.state_dict())
            averaged = self.engine.averaged_state(place)
            if averaged is not None:
                save_weights(member.folder / "weights_average.safetensors", averaged)
        pace = self.clock.steps_per_second
        images = self.settings.batch_size * len(self.members)
        outcome: dict[str, Any] = {
            "status": status,
            "steps": self.step,
            "train_seconds": round(self._seconds, 3),
            "train_images_per_second": None if pace is None else pace * images,
            "peak_memory_mib": self.clock.peak_mib,
            "parameters": sum(p.numel() for p in member.game.parameters()),
        }
        write_json(member.folder / "training.json", outcome)
        (member.folder / checkpoint.FILE).unlink(missing_ok=True)


def is_observed(step: int, steps: int) -> bool:
    """Whether a light evaluation falls on this step: 50, 100, 200, 400, ... before the last."""
    doublings, rest = divmod(step, FIRST_OBSERVATION)
    return rest == 0 and doublings > 0 and doublings & (doublings - 1) == 0 and step < steps


def save_weights(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write weights as safetensors, whole."""
    with whole(path) as draft:
        save_file({name: tensor.contiguous() for name, tensor in state.items()}, draft)


def _keep_until(path: Path, step: int) -> None:
    if path.exists():
        rows = [row for row in read_lines(path) if row["step"] <= step]
        write_text(path, "".join(json.dumps(row) + "\n" for row in rows))
