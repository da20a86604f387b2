"""Typed, frozen settings; what is stored in a run folder and hashed into its identity."""

from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NetworkSettings(_Frozen):
    """The shared networks of a suite."""

    body: str = Field(default="mlp", description="which bodies (a module of zoo.networks)")
    width: PositiveInt = Field(ge=2, description="hidden units")
    latent_dim: PositiveInt = Field(description="dimensions of z")
    prior: Literal["normal", "uniform"] = Field(default="normal", description="p(z)")


class TrainingSettings(_Frozen):
    """How long and how; part of the protocol, never adapted to the machine."""

    steps: PositiveInt = Field(description="generator-encoder updates, for every family")
    batch_size: PositiveInt = Field(ge=2, description="images per update (batch norm needs two)")
    precision: Literal["fp32", "bf16"] = Field(default="fp32", description="bf16: autocast on CUDA")
    threads: PositiveInt = Field(default=1, description="CPU threads per run")
    lr_factor: PositiveFloat | None = Field(
        default=None, description="times every learning rate; none: the family's own"
    )
    stacked: NonNegativeInt = Field(
        default=0, description="so many seeds of a row train at once; 0 or false: each alone"
    )

    @field_validator("stacked")
    @classmethod
    def _no_stack_of_one(cls, size: int) -> int:
        if size == 1:
            raise ValueError("a stack holds two seeds or more; 0 (or false) trains each alone")
        return size


class Run(_Frozen):
    """One training: a row of a suite with one seed.

    `row` is its row's name in the suite, `family` the module (or file) that is played, `left_out`
    the class that training never sees.
    """

    row: str
    family: str
    options: dict[str, Any] = {}
    tier: Literal["controlled", "faithful"]
    dataset: str
    seed: NonNegativeInt
    networks: NetworkSettings
    training: TrainingSettings
    left_out: NonNegativeInt | None = None


Side = tuple[str, str]
"""A row's name in its suite, and a readout of it or ""."""


class Pair(_Frozen):
    """Two rows, one beside the other."""

    row: str = Field(description="row name")
    readout: str = Field(default="", description="of that row; none: the training's own numbers")
    against: str = Field(description="the row it is compared with")
    against_readout: str = Field(default="", description="of the row it is compared with")

    @property
    def sides(self) -> tuple[Side, ...]:
        """What is compared."""
        return (self.row, self.readout), (self.against, self.against_readout)


class Claim(Pair):
    """What somebody says of two rows, of one row and a bound, or of two pairs.

    Those of the committed suites are the register's, with their source; see `planning.register`. A
    suite of one's own may have others, which are exploratory.
    """

    id: str = Field(default="", description="its number in the register")
    says: str = Field(description="the claim in a sentence")
    quote: str = Field(default="", description="the source's own words")
    place: str = Field(default="", description="source and section of the quote")
    scale: str = Field(default="", description="on what its author saw it")
    against: str = Field(default="", description="the row it is compared with; a control's id")
    metric: str = Field(description="a name in metrics.toml")
    kind: Literal["better", "no_better", "equal", "at_least"] = Field(
        default="better", description="at_least: the row's own value reaches `bound`"
    )
    expected: Literal["lower", "higher"] = Field(
        description="which way the row's value, or its difference beside the other pair's, lies"
    )
    margin: NonNegativeFloat | None = Field(
        default=None,
        description="the least difference that matters: a factor, or of rates a difference",
    )
    bound: float | None = Field(default=None, description="of kind at_least")
    floor: str = Field(
        default="", description="metric in which one row at least must be competent; none: no floor"
    )
    more_than: Pair | None = Field(
        default=None, description="tables row, readout, against and against_readout: another pair"
    )
    decisive: bool = Field(
        default=False, description="the suite's long form is at the source's own scale"
    )
    date: str = Field(default="", description="when it was frozen")
    seen: dict[str, NonNegativeInt] = Field(
        default={}, description="report -> how many of its seeds had been looked at by then"
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.quote) != bool(self.place):
            raise ValueError("a quote needs its place, and a place its quote")
        if (self.kind == "at_least") != (self.bound is not None):
            raise ValueError("at_least needs a bound, and no other kind has one")
        if (self.kind == "at_least") == bool(self.against):
            raise ValueError("a row is compared `against` another, or at_least with a bound")
        return self

    @property
    def sides(self) -> tuple[Side, ...]:
        """What is compared: one row, two rows, or two pairs."""
        own = super().sides if self.against else super().sides[:1]
        return own + (self.more_than.sides if self.more_than else ())


class Published(_Frozen):
    """A number that a paper prints for a row; never from memory."""

    row: str = Field(description="row name")
    readout: str = Field(default="", description="of that row; none: the training's own numbers")
    metric: str = Field(description="a name in metrics.toml")
    value: float = Field(description="in the metric's own unit")
    source: str = Field(description="paper and table")


class Short(_Frozen):
    """What makes a suite fit minutes of a CPU; its answer is a hint, not the suite's."""

    dataset: str | None = Field(default=None, description="in place of the suite's")
    families: tuple[str, ...] | None = Field(default=None, description="only these rows")
    seeds: PositiveInt | None = Field(default=None, description="in place of the suite's")
    settings: tuple[str, ...] = Field(default=(), description="as `--set` takes them")


class Suite(_Frozen):
    """A question, and the runs that answer it."""

    name: str
    question: str
    tier: Literal["controlled", "faithful"] = "controlled"
    dataset: str
    families: tuple[str, ...] = Field(min_length=1, description="family ids, or names in `rows`")
    rows: dict[str, dict[str, Any]] = Field(
        default={},
        description="row name -> family, preset, tables networks and training, options",
    )
    variants: dict[str, dict[str, Any]] = Field(
        default={},
        description="name -> what it changes: each row stands once more as <row>_<name>, and rows "
        "are compared within a variant",
    )
    varied: dict[str, tuple[str, str]] = Field(
        default={}, description="not of the file: row name -> the row that it varies, and how"
    )
    seeds: PositiveInt = Field(description="training seeds 0 ... seeds - 1")
    networks: NetworkSettings
    training: TrainingSettings
    short: Short | None = Field(default=None, description="what `--short` changes")
    claims: tuple[Claim, ...] = Field(default=(), description="what the suite is to decide")
    published: tuple[Published, ...] = Field(default=(), description="papers' own numbers")
    leave_one_class_out: bool = Field(
        default=False, description="seed s trains without class s (modulo the number of classes)"
    )
