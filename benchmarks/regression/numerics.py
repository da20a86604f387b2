"""Numerics versions: `python -m benchmarks.regression.numerics --check`, `--update NAME`, `--new`.

A version says that its code still computes the golden numbers. A number that moves is either a bug,
or its version is raised with `--update`, in the same commit, which makes the runs that use it
outdated, and no others.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.common.errors import UserError, unknown
from benchmarks.common.files import write_text
from benchmarks.planning.identity import (
    VERSIONS,
    configuration_digest,
    numerics_versions,
    version_names,
)
from benchmarks.regression import training_golden
from benchmarks.regression.golden import Move, with_engine, write_table
from benchmarks.regression.training_cases import Case, cases

EVALUATION = "evaluation"
DEFINITION, RECORDED = "case", "versions"
"""Keys of the table: a case's own definition, and the versions that the numbers belong to."""
Say = Callable[[str], None]


def main(
    check: Annotated[bool, typer.Option("--check", help="Compare; exit 1 if one moved.")] = False,
    update: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Raise this version, write its numbers; may be repeated"),
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Write numbers of cases without any.")] = False,
    case: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="Only cases with TEXT in their names.")
    ] = None,
) -> None:
    """Compare golden numbers with what the code computes, or write them with a raised version."""
    try:
        if check + bool(update) + new != 1 or (case and not check):
            raise UserError("say one of --check, --update NAME and --new; --case goes with --check")
        code = 0
        if check:
            code = _check(case or [])
        elif new:
            _new()
        elif update == [EVALUATION]:
            _update_evaluation()
        else:
            code = _update(update or [])
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    raise typer.Exit(code)


def moved_numbers(only: Sequence[str] = (), say: Say = lambda line: None) -> list[Move]:
    """Return every golden number that has moved, of trainings and evaluations.

    Args:
        only: cases' names with their engines, or parts of such; all if there is none. Evaluations
            are called "evaluation of <family>", "evaluation of controls", "evaluation of points".
        say: told each case before it is computed.

    """
    from benchmarks.regression import evaluation_golden as evaluation

    trainings = {
        with_engine(case.name, engine): (case, engine)
        for case, engine in training_golden.engines_of(list(cases().values()))
    }
    evaluations = {f"evaluation of {name}": name for name in evaluation.CASES}
    moves = []
    for name in _chosen([*trainings, *evaluations], only):
        say(name)
        if name in trainings:
            case, engine = trainings[name]
            moves += training_golden.moved(case, engine, training_golden.table().get(case.name, {}))
        else:
            own = evaluations[name]
            moves += evaluation.moved(own, evaluation.table().get(own, {}))
    return moves


def table_faults(versions_file: Path = VERSIONS) -> list[str]:
    """Return what is wrong with the tables themselves, whatever the code computes.

    A case without numbers, or defined otherwise than when they were written; numbers without a
    case; a version that is not the one its numbers were written with.
    """
    from benchmarks.regression import evaluation_golden as evaluation

    table, known = training_golden.table(), cases()
    entries = [name for name in table if name != RECORDED]
    recorded = {EVALUATION: evaluation.table().get(RECORDED, {})} | {"": table.get(RECORDED, {})}
    now = {EVALUATION: evaluation.versions()} | {"": dict(numerics_versions())}
    return [
        *(f"{name}: no golden numbers; write them with --new" for name in known if _is_new(name)),
        *(f"{name}: golden numbers of no case; --new removes them"
          for name in entries if name not in known),
        *(f"{kind} {name}: version {versions.get(name)}, but its golden numbers are of "
          f"{recorded[kind].get(name)}; use --update, which sets both".strip()
          for kind, versions in now.items()
          for name in versions | recorded[kind]
          if versions.get(name) != recorded[kind].get(name)),
    ]  # fmt: skip


def names_of(case: Case) -> list[str]:
    """Return the names of the versions that a case's numbers belong to."""
    engines = (version_names(case.of_engine(engine)[0]) for engine in case.engines)
    return list(dict.fromkeys(name for names in engines for name in names))


def _check(only: Sequence[str]) -> int:
    """Print each moved number with the versions that its case uses; return the exit code."""
    moves, wrong = moved_numbers(only), [] if only else table_faults()
    for line in wrong:
        print(line)
    for name, own in _by_case(moves).items():
        known = cases().get(name)
        print(f"{name}: uses {', '.join(names_of(known)) if known else 'the protocol'}")
        for move in own:
            print(f"  {move}")
    moved = len(_by_case(moves))
    print(f"{len(moves)} golden numbers moved, in {moved} cases" if moves else "no number moved")
    return 1 if moves or wrong else 0


def _update(names: Sequence[str]) -> int:
    """Raise versions and write the numbers of the cases that use them; return the exit code."""
    known, names = cases(), list(dict.fromkeys(names))
    usable = {name for case in known.values() for name in names_of(case)} | {*numerics_versions()}
    for name in names:
        if name not in usable | {EVALUATION}:
            raise unknown("numerics version", name, usable | {EVALUATION})
        if name == EVALUATION:
            raise UserError(f"--update {EVALUATION} goes alone")
    own = {name: case for name, case in known.items() if {*names} & {*names_of(case)}}
    others = [case for name, case in known.items() if name not in own and not _is_new(name)]
    moves = _moves_of(others)
    if moves:
        for name in _by_case(moves):
            print(f"{name} moved too, and uses {', '.join(names_of(known[name]))}")
        print(f"nothing was written: raise what these use as well, beside {', '.join(names)}")
        return 1
    changed = [name for name in own if _is_new(name) or _moves_of([own[name]])]
    fresh = {name: _entry(case) for name, case in own.items()}
    _raise(names)
    _write(fresh)
    print(f"raised {', '.join(names)}; of {len(own)} cases that use them, {len(changed)} moved")
    return 0


def _new() -> None:
    """Write numbers of cases that have none or were defined anew; drop those of no case."""
    known = cases()
    fresh = {name: _entry(case) for name, case in known.items() if _is_new(name)}
    used = {name for case in known.values() for name in names_of(case)}
    _raise([name for name in sorted(used) if name not in numerics_versions()])
    _write(fresh)
    _new_evaluations()
    print("\n".join(["wrote:", *fresh]) if fresh else "every training has its numbers")


def _new_evaluations() -> None:
    from benchmarks.regression import evaluation_golden as evaluation

    table = evaluation.table()
    fresh = {name: table.get(name) or evaluation.of_case(name) for name in evaluation.CASES}
    write_table(evaluation.TABLE, {RECORDED: table.get(RECORDED) or evaluation.versions()} | fresh)


def _update_evaluation() -> None:
    """Write the golden evaluations of a raised protocol.

    Raises:
        UserError: no version of `benchmarks/evaluation/protocol.py` was raised.

    """
    from benchmarks.regression import evaluation_golden as evaluation

    versions, before = evaluation.versions(), evaluation.table().get(RECORDED)
    if before == versions:
        raise UserError(
            f"the golden evaluations are of these very versions ({before}): raise VERSION in "
            "benchmarks/evaluation/protocol.py by hand first, which outdates every evaluation"
        )
    fresh = {name: evaluation.of_case(name) for name in evaluation.CASES}
    write_table(evaluation.TABLE, {RECORDED: versions} | fresh)
    print(f"wrote the golden evaluations of {versions}")


def _moves_of(some: Iterable[Case]) -> list[Move]:
    table = training_golden.table()
    return [
        move
        for case, engine in training_golden.engines_of(list(some))
        for move in training_golden.moved(case, engine, table.get(case.name, {}))
    ]


def _entry(case: Case) -> dict[str, Any]:
    """Return a case's new entry of the table, which every engine of it must give.

    Raises:
        UserError: it does not train to its end, or its engines disagree.

    """
    first, *others = case.engines
    numbers = training_golden.of_case(case, first)
    if not numbers:
        raise UserError(f"{case.name} does not train to its end; nothing was written")
    for engine in others:
        for move in training_golden.moved(case, engine, numbers):
            raise UserError(f"the engines disagree, nothing was written: {move}")
    return {DEFINITION: _definition(case)} | numbers


def _definition(case: Case) -> str:
    return f"{configuration_digest(case.run)[:12]} {case.precision}"


def _is_new(name: str) -> bool:
    entry = training_golden.table().get(name, {})
    return bool(entry.get(DEFINITION) != _definition(cases()[name]))


def _write(fresh: Mapping[str, Any]) -> None:
    """Write the table with some new entries, in the order of the cases."""
    table = training_golden.table()
    kept = {name: fresh.get(name) or table[name] for name in cases() if name in {*table, *fresh}}
    write_table(training_golden.TABLE, {RECORDED: dict(numerics_versions())} | kept)


def _raise(names: Iterable[str]) -> None:
    """Raise versions in their file by one, or add them with 1; its comments stay."""
    text = VERSIONS.read_text()
    for name in names:
        text = raised(text, name)
    write_text(VERSIONS, text)
    numerics_versions.cache_clear()


def raised(text: str, name: str) -> str:
    """Return the text of the versions' file with one version raised, or added with 1.

    Args:
        text: TOML with one version a line; its comments stay.
        name: "training", or table and key such as "family.bigan".

    """
    table, _, key = name.rpartition(".")
    lines, place, inside = text.splitlines(), 0, table == ""
    for index, line in enumerate(lines):
        if line.startswith("["):
            inside = line.strip() == f"[{table}]"
        elif inside and line.partition("=")[0].strip() == key:
            head, _, value = line.partition("=")
            number, mark, comment = value.partition("#")
            spaced = f"  {mark}{comment}" if mark else ""
            lines[index] = f"{head}= {int(number) + 1}{spaced}"
            return "\n".join(lines) + "\n"
        if inside and line.strip():
            place = index + 1
    if not place:
        return "\n".join([*lines, "", f"[{table}]", f"{key} = 1"]) + "\n"
    lines.insert(place, f"{key} = 1")
    return "\n".join(lines) + "\n"


def _by_case(moves: Iterable[Move]) -> dict[str, list[Move]]:
    """Return case name -> its moves in all engines."""
    found: dict[str, list[Move]] = {}
    for move in moves:
        found.setdefault(move.case, []).append(move)
    return found


def _chosen(names: Sequence[str], only: Sequence[str]) -> list[str]:
    """Return the names that are asked for: themselves, or by a part of them; all if none is."""
    parts = [part for part in only if part not in names]
    chosen = [n for n in names if not only or n in only or any(part in n for part in parts)]
    if not chosen:
        raise UserError(f"no golden case has {parts[0]!r} in its name; --check names them all")
    return chosen


if __name__ == "__main__":
    typer.run(main)
