"""Typed, frozen settings; what is stored in a run folder and hashed into its identity."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NetworkSettings(_Frozen):
    """The shared networks of a suite."""

    body: str = Field(default="mlp", description="which bodies (zoo.networks.BODIES)")
    width: PositiveInt = Field(ge=2, description="hidden units")
    latent_dim: PositiveInt = Field(description="dimensions of z")
    prior: Literal["normal", "uniform"] = Field(default="normal", description="p(z)")


class TrainingSettings(_Frozen):
    """How long and how; part of the protocol, never adapted to the machine."""

    steps: PositiveInt = Field(description="generator-encoder updates, for every family")
    batch_size: PositiveInt = Field(ge=2, description="images per update (batch norm needs two)")
    precision: Literal["fp32", "bf16"] = Field(default="fp32", description="bf16: autocast on CUDA")
    threads: PositiveInt = Field(default=1, description="CPU threads per run")


class Run(_Frozen):
    """One training: a row of a suite with one seed.

    `family` is the row's name in tables, `game` the module (or file) that is played, `left_out` the
    class that training never sees.
    """

    family: str
    game: str
    options: dict[str, Any] = {}
    tier: Literal["controlled", "faithful"]
    dataset: str
    seed: NonNegativeInt
    networks: NetworkSettings
    training: TrainingSettings
    left_out: NonNegativeInt | None = None


class Suite(_Frozen):
    """A question, and the runs that answer it."""

    name: str
    question: str
    tier: Literal["controlled", "faithful"] = "controlled"
    dataset: str
    families: tuple[str, ...] = Field(min_length=1, description="family ids, or names in `rows`")
    rows: dict[str, dict[str, Any]] = Field(
        default={}, description="row name -> family and its options"
    )
    seeds: PositiveInt = Field(description="training seeds 0 ... seeds - 1")
    networks: NetworkSettings
    training: TrainingSettings
    leave_one_class_out: bool = Field(
        default=False, description="seed s trains without class s (modulo the number of classes)"
    )
