"""The golden trainings: a short run of everything that has a numerics version.

Every family in the controlled tier and in its faithful preset (made narrow), every body, both
engines, and every option that changes a loss, a turn or a schedule. Schedules end inside the run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.planning.config import NetworkSettings, Run, TrainingSettings
from zoo.registry import FAMILIES, bodies, presets

STEPS, SEEDS, BATCH = 12, 2, 8
BLOCKS = 4
"""Steps of the author's AEGAN at 28 x 28, each of which is eight turns."""
SINGLE_STEPS = 50
EAGER, BOTH = ("eager",), ("eager", "stacked")
Engine = Literal["eager", "stacked"]
NARROW = {"bigan_paper": 16, "ali_toy_paper": 16, "aegan_paper": 4, "qp": 32, "resnet_attention": 4}
"""Widths of the authors' bodies; their own are 64 to 1,024."""
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "gan": [{"spectral": True}, {"decay_over": STEPS}],
    "gan_qp": [
        {"distance": "l2"}, {"compares": True}, {"spectral": True}, {"strength": 3.0},
    ],
    "wgan_gp": [{"penalty": 1.0}],
    "autoencoder": [{"error": "l1"}, {"decay_over": STEPS}],
    "vae": [{"variance": 0.5}],
    "latent_regressor": [
        {"gan_steps": STEPS // 2, "decay_over": STEPS},
        {"gan_steps": STEPS // 2},
        {"zero_head": True},
    ],
    "joint_latent_regressor": [
        {"latent_weight": 1.0}, {"zero_head": True, "decay_over": STEPS},
    ],
    "bigan": [{"decay_over": STEPS}],
    "bigan_qp": [
        {"guidance": "coupled"}, {"guidance": "none"}, {"compares": True},
        {"strength": 3.0, "latent_weight": 1.0, "image_weight": 1.5},
    ],
    "aegan": [
        {"blocks": True, "input_noise": 0.1}, {"input_noise": 0.1}, {"half_life": 5},
        {"image_weight": 1.0, "latent_weight": 1.0},
    ],
    "bigbigan": [
        {"unary_x": False}, {"unary_z": False}, {"stochastic": False}, {"spectral": False},
        {"encoder_lr_factor": 10.0}, {"average": 0.9}, {"downscale": 2}, {"classes": 10},
    ],
}  # fmt: skip
"""Family -> sets of options that its other cases leave at their defaults."""


@dataclass(frozen=True)
class Case:
    """A short training with golden numbers.

    Attributes:
        name: what it is called in the table and in messages.
        run: with seed 0; seeds 0 ... SEEDS - 1 are trained.
        engines: which engines must give its numbers.
        precision: "double", where rounding is so small that tiny faults show, or "single".

    """

    name: str
    run: Run
    engines: tuple[str, ...] = EAGER
    precision: Literal["double", "single"] = "double"

    def of_engine(self, engine: str) -> list[Run]:
        """Return the run of each seed as an engine trains it."""
        stacked = SEEDS if engine == "stacked" else 0
        training = self.run.training.model_copy(update={"stacked": stacked})
        return [
            self.run.model_copy(update={"seed": seed, "training": training})
            for seed in range(SEEDS)
        ]


def cases() -> dict[str, Case]:
    """Return all golden trainings by name."""
    found = [*_controlled(), *_faithful(), *_of_bodies(), *_of_options(), *_single()]
    return {case.name: case for case in found}


def run_of(
    family: str,
    options: Mapping[str, Any] | None = None,
    *,
    body: str = "mlp",
    width: int = 16,
    latent_dim: int = 4,
    prior: Literal["normal", "uniform"] = "normal",
    dataset: str = "digits",
    tier: Literal["controlled", "faithful"] = "controlled",
    steps: int = STEPS,
    lr_factor: float | None = None,
    left_out: int | None = None,
) -> Run:
    """Return a short run of narrow networks with seed 0."""
    return Run(
        row=family,
        family=family,
        options=dict(options or {}),
        tier=tier,
        dataset=dataset,
        seed=0,
        networks=NetworkSettings(body=body, width=width, latent_dim=latent_dim, prior=prior),
        training=TrainingSettings(steps=steps, batch_size=BATCH, lr_factor=lr_factor),
        left_out=left_out,
    )


def _controlled() -> list[Case]:
    return [Case(f"controlled {family}", run_of(family), BOTH) for family in FAMILIES]


def _faithful() -> list[Case]:
    """Return each preset with narrow networks, few latents, small batches and few steps."""
    found = []
    for family, preset in presets().items():
        networks = preset["networks"]
        points = networks["body"] == "ali_toy_paper"
        options = {
            name: STEPS if value == "training.steps" else value
            for name, value in preset.get("options", {}).items()
        }
        run = run_of(
            family,
            options,
            body=networks["body"],
            width=NARROW[networks["body"]],
            latent_dim=min(4, networks["latent_dim"]),
            prior=networks["prior"],
            dataset="gaussians" if points else "mnist",
            tier="faithful",
            steps=BLOCKS if "blocks" in options else STEPS,
        )
        found.append(Case(f"faithful {family}", run, BOTH if family == "ali" else EAGER))
    return found


def _of_bodies() -> list[Case]:
    """Return every body in a family that uses as many of its networks as it has."""
    widths = {"mlp": 16, "conv": 32, "resnet": 4} | NARROW
    whole = {"bigan_paper": "bigan", "ali_toy_paper": "aegan", "aegan_paper": "aegan"}
    both = ("conv", "qp", "resnet_attention", "bigan_paper", "aegan_paper")
    return [
        Case(
            f"body {body}",
            run_of(
                whole.get(body, "bigbigan"),
                body=body,
                width=widths.get(body, 16),
                dataset="gaussians" if body == "ali_toy_paper" else "digits",
            ),
            BOTH if body in both else EAGER,
        )
        for body in bodies()
    ]


def _of_options() -> list[Case]:
    found = [
        Case(
            f"option {family} {' '.join(f'{name}={value}' for name, value in options.items())}",
            run_of(family, options),
            BOTH if {"blocks", "average"} & {*options} else EAGER,
        )
        for family, own in OPTIONS.items()
        for options in own
    ]
    return [
        *found,
        Case("setting lr_factor", run_of("bigan", lr_factor=0.5), BOTH),
        Case("setting left_out", run_of("bigan", left_out=3)),
        *(
            Case(f"setting uniform prior {family}", run_of(family, prior="uniform"))
            for family in ("ali", "latent_regressor", "autoencoder")
        ),
    ]


def _single() -> list[Case]:
    """Return a few longer runs in the precision that trains, at a wide tolerance."""
    return [
        Case(f"single precision {family}", run_of(family, steps=SINGLE_STEPS), EAGER, "single")
        for family in ("bigan", "aegan")
    ]
