"""Suite + overrides -> the list of runs, each with its identity, folder and state."""

import math
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from benchmarks.config import NetworkSettings, Run, Suite, TrainingSettings
from benchmarks.errors import UserError, unknown
from benchmarks.evaluation.protocol import PROTOCOLS, VERSION
from benchmarks.files import read_json
from benchmarks.identity import configuration_digest, training_identity
from datasets.registry import DATASETS
from zoo.registry import FAMILIES, source

SUITES = Path(__file__).with_name("suites")
NETWORKS = Path(__file__).parent.parent / "zoo" / "networks"
State = Literal["done", "diverged", "to evaluate", "to resume", "stale", "missing"]


@dataclass(frozen=True)
class Job:
    """A run of the plan and where it lives."""

    run: Run
    identity: str
    folder: Path

    @property
    def label(self) -> str:
        """Short name for messages."""
        return f"{self.run.family} seed {self.run.seed}"

    @property
    def evaluation_identity(self) -> dict[str, str]:
        """What a metrics.json must say of itself to count."""
        return evaluation_identity(self.identity, self.run.dataset)


def evaluation_identity(training: str, dataset: str) -> dict[str, str]:
    """Return training identity + protocol version + extractor (whose name holds its digest)."""
    extractor = PROTOCOLS[dataset].extractor
    return {"training": training, "protocol": VERSION, "extractor": extractor}


def suite_names() -> list[str]:
    """Return the names of the committed suites."""
    return sorted(path.stem for path in SUITES.glob("*.toml"))


def load_suite(name: str) -> Suite:
    """Load a committed suite by name, or a user's own file.

    Raises:
        UserError: there is no such suite, or its file has unknown or wrong settings.

    """
    path = Path(name) if name.endswith(".toml") else SUITES / f"{name}.toml"
    if not path.is_file():
        if name.endswith(".toml"):
            raise UserError(f"suite file {name} does not exist")
        raise unknown("suite", name, suite_names())
    try:
        return _checked(_validated(tomllib.loads(path.read_text()), str(path)))
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path} is not valid TOML: {error}") from error


def override(
    suite: Suite,
    settings: Iterable[str] = (),
    families: Sequence[str] | None = None,
    seeds: int | None = None,
) -> Suite:
    """Return the suite with `key.path=value` settings, families and number of seeds replaced.

    Raises:
        UserError: an unknown name or a value that does not fit.

    """
    values = suite.model_dump()
    for setting in settings:
        _apply(values, setting)
    if families is not None:
        values["families"] = list(families)
    if seeds is not None:
        values["seeds"] = seeds
    return _checked(_validated(values, "the settings given"))


def jobs(suite: Suite, results: Path, seeds: Iterable[int]) -> list[Job]:
    """Return the runs of a suite for some seeds, seed by seed, so that early results compare."""
    return [_job(_run(suite, family, seed), results) for seed in seeds for family in suite.families]


def state(
    job: Job, say: Callable[[str], None] | None = None, with_inception: bool = False
) -> State:
    """Say how far a run is; damaged files count as absent (set aside, given a `say`).

    Args:
        job: the run.
        say: a line for the user.
        with_inception: whether the Inception metrics are wanted as well.

    """
    training = read_json(job.folder / "training.json", say)
    if training is None:
        if (job.folder / "checkpoint.pt").exists():
            return "to resume"
        return "stale" if _other_code(job) else "missing"
    if training.get("status") == "diverged":
        return "diverged"
    wanted = ["metrics.json", *(["inception.json"] if with_inception else [])]
    if all(is_evaluated(job, name, say) for name in wanted):
        return "done"
    return "to evaluate" if (job.folder / "weights.safetensors").exists() else "missing"


def is_evaluated(
    job: Job, name: str = "metrics.json", say: Callable[[str], None] | None = None
) -> bool:
    """Whether a file of results is there and stems from this protocol and training."""
    content = read_json(job.folder / name, say)
    return content is not None and content.get("identity") == job.evaluation_identity


def controls_folder(suite: Suite, results: Path) -> Path:
    """Return where the control rows of a suite's dataset and networks live."""
    return (
        results / "runs" / suite.dataset / f"controls-{controls_job(suite, results).identity[:10]}"
    )


def controls_job(suite: Suite, results: Path) -> Job:
    """Return the run whose first weights are the untrained control; no budget is part of it."""
    run = Run(
        family="untrained",
        game="bigan",
        tier=suite.tier,
        dataset=suite.dataset,
        seed=0,
        networks=suite.networks,
        training=TrainingSettings(steps=1, batch_size=2),
        left_out=0 if suite.leave_one_class_out else None,
    )
    return _job(run, results)


def _run(suite: Suite, family: str, seed: int) -> Run:
    row = dict(suite.rows.get(family, {}))
    game = row.pop("family", family)
    left_out = seed % DATASETS[suite.dataset].classes if suite.leave_one_class_out else None
    return Run(
        family=_row_name(family),
        game=game,
        options=row,
        tier=suite.tier,
        dataset=suite.dataset,
        seed=seed,
        networks=suite.networks,
        training=suite.training,
        left_out=left_out,
    )


def _row_name(family: str) -> str:
    return Path(family).stem if family.endswith(".py") else family


def _job(run: Run, results: Path) -> Job:
    identity = training_identity(run)
    folder = results / "runs" / run.dataset / run.family / f"seed{run.seed}-{identity[:10]}"
    return Job(run, identity, folder)


def _other_code(job: Job) -> bool:
    """Whether the same configuration was trained by other code."""
    wanted = configuration_digest(job.run)
    for path in job.folder.parent.glob(f"seed{job.run.seed}-*/config.json"):
        config = read_json(path)
        if path.parent != job.folder and config is not None:
            if config.get("configuration") == wanted:
                return True
    return False


def _checked(suite: Suite) -> Suite:
    """Check names that pydantic cannot know."""
    if suite.dataset not in DATASETS:
        raise unknown("dataset", suite.dataset, DATASETS)
    if not (NETWORKS / f"{suite.networks.body}.py").is_file():
        bodies = [path.stem for path in NETWORKS.glob("[a-z]*.py")]
        raise unknown("networks.body", suite.networks.body, bodies)
    for name, row in suite.rows.items():
        if "family" not in row and name not in {*FAMILIES, *suite.families}:
            raise unknown("row", name, {*FAMILIES, *suite.families})
    for family in suite.families:
        options = suite.rows.get(family, {})
        _check_game(str(options.get("family", family)), suite)
        if set(options) - {"family"}:
            _check_options(family, suite)
    names = [_row_name(family) for family in suite.families]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise UserError(f"two rows would be called {', '.join(sorted(twice))}; name each once")
    return suite


def _check_game(game: str, suite: Suite) -> None:
    if game.endswith(".py"):
        if not source(game).is_file():
            raise UserError(f"family file {game} does not exist")
    elif game not in FAMILIES:
        raise unknown("family", game, {*FAMILIES, *suite.rows})


def _check_options(row: str, suite: Suite) -> None:
    from zoo.assembly import assemble, options_of  # torch; only suites with options pay for it

    values = dict(suite.rows[row])
    game = str(values.pop("family", row))
    known = options_of(game)
    for name, value in values.items():
        if name not in known:
            raise unknown(f"option of {row}", name, known)
        expected = type(known[name])
        number = expected is float and type(value) is int
        if not (isinstance(value, expected) or number) or value in (math.inf, -math.inf):
            raise UserError(f"rows.{row}.{name} must be a {expected.__name__}, got {value!r}")
    small = suite.networks.model_dump() | {"width": 2, "latent_dim": 2}
    try:
        assemble(game, values, **small, image_shape=(1, 8, 8), seed_of=lambda name: 0)
    except ValueError as error:
        raise UserError(f"rows.{row}: {error}") from error


def _apply(values: dict[str, Any], setting: str) -> None:
    path, equals, text = setting.partition("=")
    keys = path.strip().split(".")
    if not equals:
        raise UserError(f"--set needs name=value, got {setting!r}")
    if keys[0] == "rows" and len(keys) == 3:
        values["rows"].setdefault(keys[1], {})[keys[2]] = _value(text)
        return
    known = [name for name in _setting_names() if "." in name]
    if path.strip() not in known:
        raise unknown("setting", path, [*known, "rows.<row>.<option>"])
    values[keys[0]][keys[1]] = _value(text)


def _setting_names() -> list[str]:
    rooms: dict[str, type[BaseModel]] = {
        "networks": NetworkSettings,
        "training": TrainingSettings,
    }
    inner = [f"{room}.{name}" for room, model in rooms.items() for name in model.model_fields]
    return [*Suite.model_fields, *inner]


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()


def _validated(values: dict[str, Any], where: str) -> Suite:
    try:
        return Suite(**values)
    except ValidationError as error:
        # A misspelt name is also a missing one; the misspelling is what helps.
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        name = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            raise unknown(f"setting in {where}", name, _setting_names()) from error
        raise UserError(f"{where}: {name}: {first['msg']}, got {first['input']!r}") from error
