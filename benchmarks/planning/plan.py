"""Suite + overrides -> the list of runs, each with its identity, folder and state."""

import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from benchmarks.common.errors import UserError, unknown
from benchmarks.common.files import read_json
from benchmarks.evaluation.protocol import PROTOCOLS, VERSION
from benchmarks.planning.config import Run, Suite, TrainingSettings
from benchmarks.planning.identity import training_identity, untrained_identity
from benchmarks.planning.keys import Key
from benchmarks.planning.outdated import is_outdated, why_not_there
from benchmarks.planning.resolve import ROOMS, Resolved, resolve, row_name, wrong_setting
from benchmarks.planning.rows import (
    check_not_preset,
    with_files_as_rows,
    with_known_names,
    with_variants,
)
from benchmarks.planning.validate import check_control, check_row

SUITES = Path(__file__).resolve().parents[1] / "suites"
SHORT = "-short"
"""What the name of a suite's short form ends in."""
ENDED = ("done", "diverged")
"""States of a run that nothing is left to do for."""
State = Literal["done", "diverged", "to evaluate", "to resume", "outdated", "missing"]


@dataclass(frozen=True)
class Job:
    """A run of the plan and where it lives.

    Attributes:
        run: what is trained.
        identity: of the training.
        folder: its own, or the one a published record was unpacked into.
        base: the row that its row varies under a name of its own, if it does.
        variant: how; or what tells it from runs of the same row that it stands beside.
        published: the date of that record; empty for a run of one's own.

    """

    run: Run
    identity: str
    folder: Path
    base: str = ""
    variant: str = ""
    published: str = ""

    @property
    def key(self) -> Key:
        """Which row of a table it is of."""
        title = self.run.row if self.base else ""
        row, family = self.base or self.run.row, row_name(self.run.family)
        return Key(row, family, self.variant, title=title)

    @property
    def label(self) -> str:
        """Short name for messages."""
        return f"{self.key.name} seed {self.run.seed}"

    @property
    def evaluation_identity(self) -> dict[str, str]:
        """What a metrics.json must say of itself to count."""
        return evaluation_identity(self.identity, self.run.dataset)


@dataclass(frozen=True)
class Plan:
    """A suite and its runs.

    Attributes:
        suite: the question.
        jobs: the runs, from here or published.
        results: folder of runs and reports.
        left_out: with published runs: a line for each of the suite's that none stands for.
        damaged: a line for each published record that cannot be believed.
        published: whether published runs stand for those that are not done here.
        own: then: the rows that are trained.

    """

    suite: Suite
    jobs: list[Job]
    results: Path
    left_out: Sequence[str] = ()
    damaged: Sequence[str] = ()
    published: bool = False
    own: frozenset[str] = frozenset()


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
    own = Path(name).name != name or Path(name).suffix != ""
    path = Path(name) if own else SUITES / f"{name}.toml"
    if not path.is_file():
        if own:
            raise UserError(f"suite file {name} does not exist")
        raise unknown("suite", name, suite_names())
    try:
        suite = _validated(tomllib.loads(path.read_text()), str(path))
    except ValueError as error:  # TOML's, or what is no text
        raise UserError(f"{path} is not valid TOML: {error}") from error
    return with_known_names(with_variants(with_files_as_rows(suite, path.parent)))


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
    values, settings = suite.model_dump(), list(settings)
    for setting in settings:
        _apply(values, setting)
    if families is not None:
        values["families"] = list(families)
    if seeds is not None:
        values["seeds"] = seeds
    suite = with_known_names(with_files_as_rows(_validated(values, "the settings given")))
    for setting in settings:
        check_not_preset(setting.partition("=")[0].strip(), suite)
    for row in resolve(suite).values():
        check_row(row, suite)
    check_control(_control(suite))
    return suite


def shortened(suite: Suite) -> Suite:
    """Return the suite's short form, `<name>-short`.

    A published number stays only beside a row that is trained as in the long form, a claim only
    where all its rows are.

    Raises:
        UserError: it has none.

    """
    if suite.short is None:
        raise UserError(
            f"suite {suite.name} has no short form; shorten it with --set training.steps=N, "
            "--seeds N or --families"
        )
    short = suite.short
    changed = {
        "name": suite.name + SHORT,
        "question": f"{suite.question} In short form, on {short.dataset or suite.dataset}.",
        "dataset": short.dataset or suite.dataset,
        "families": tuple(map(row_name, short.families or suite.families)),
    }
    form = override(suite.model_copy(update=changed), short.settings, seeds=short.seeds)
    own, before = resolve(form), resolve(suite)
    whole = {name for name, row in own.items() if row == before.get(name)}
    kept = tuple(one for one in form.published if one.row in whole)
    claims = tuple(one for one in form.claims if {name for name, _ in one.sides} <= {*own})
    return form.model_copy(update={"published": kept, "claims": claims})


def jobs(suite: Suite, results: Path, seeds: Iterable[int]) -> list[Job]:
    """Return the runs of a suite for some seeds, seed by seed, so that early results compare."""
    return [_planned(row, seed, results) for seed in seeds for row in resolve(suite).values()]


def _planned(row: Resolved, seed: int, results: Path) -> Job:
    run = row.run(seed)
    job = _job(run, results, training_identity(run))
    return job if not row.variant else replace(job, base=row.base, variant=row.variant)


def groups(jobs: Iterable[Job]) -> list[list[Job]]:
    """Return what trains together: the seeds of one stack, else each run alone.

    Which stack a seed is in, its number and its row's settings say: never who else is to be done,
    nor how many workers there are.
    """
    found: dict[tuple[str, int], list[Job]] = {}
    for job in jobs:
        same = job.run.model_copy(update={"seed": 0, "left_out": None}).model_dump_json()
        found.setdefault((same, job.run.seed // (job.run.training.stacked or 1)), []).append(job)
    return list(found.values())


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
        return "outdated" if is_outdated(job.run, job.folder.parent) else "missing"
    if training.get("status") == "diverged":
        return "diverged"
    wanted = ["metrics.json", *(["inception.json"] if with_inception else [])]
    if all(is_evaluated(job, name, say) for name in wanted):
        return "done"
    return "to evaluate" if (job.folder / "weights.safetensors").exists() else "missing"


def why(job: Job) -> str:
    """Say why a run that is missing or outdated is so; empty for all others, or if unknown."""
    if state(job) not in ("missing", "outdated"):
        return ""
    return why_not_there(job.run, job.folder)


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
    run = _control(suite)
    return _job(run, results, untrained_identity(run))


def _control(suite: Suite) -> Run:
    return Run(
        row="untrained",
        family="bigan",
        tier=suite.tier,
        dataset=suite.dataset,
        seed=0,
        networks=suite.networks,
        training=TrainingSettings(steps=1, batch_size=2),
        left_out=0 if suite.leave_one_class_out else None,
    )


def _job(run: Run, results: Path, identity: str) -> Job:
    folder = results / "runs" / run.dataset / run.row / f"seed{run.seed}-{identity[:10]}"
    return Job(run, identity, folder)


def _apply(values: dict[str, Any], setting: str) -> None:
    path, equals, text = setting.partition("=")
    keys = path.strip().split(".")
    if not equals:
        raise UserError(f"--set needs name=value, got {setting!r}")
    if keys[0] == "rows" and (len(keys) == 3 or (len(keys) == 4 and keys[2] in ROOMS)):
        table = values["rows"].setdefault(keys[1], {})
        for key in keys[2:-1]:
            table = table.setdefault(key, {})
        table[keys[-1]] = _value(text)
        return
    known = [name for name in _setting_names() if "." in name]
    if path.strip() not in known:
        raise unknown("setting", path, [*known, "rows.<row>.<option>"])
    values[keys[0]][keys[1]] = _value(text)


def _setting_names() -> list[str]:
    inner = [f"{room}.{name}" for room, model in ROOMS.items() for name in model.model_fields]
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
        raise wrong_setting(error, where, _setting_names()) from error
