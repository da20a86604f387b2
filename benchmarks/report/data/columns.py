"""How tables of numbers say which row they are about: in DataFrames, and first in every CSV."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import pandas as pd

from benchmarks.planning.keys import Key

PARTS = tuple(field.name for field in fields(Key))
FIRST = ("row", "family", "variant", "readout", "kind", "seeds_done", "seeds_planned")
"""Columns that a CSV about rows begins with."""


@dataclass(frozen=True)
class Seeds:
    """What became of a row's planned runs; of a control, how often it was measured.

    Attributes:
        done: how many have numbers.
        planned: how many there are to be.
        others: state of those without numbers -> how many.

    """

    done: int
    planned: int
    others: Mapping[str, int]


def columns_of(key: Key) -> dict[str, Any]:
    """Return what a line of a DataFrame says of its row: every part, its label and its id."""
    return asdict(key) | {"label": key.label, "id": key.id}


def keys_of(frame: pd.DataFrame) -> dict[str, Key]:
    """Return label -> row, in the order of a DataFrame's lines."""
    lines = frame.drop_duplicates("label").to_dict("records")
    return {line["label"]: Key(**{part: line[part] for part in PARTS}) for line in lines}


def with_references(frame: pd.DataFrame, references: Collection[str]) -> pd.DataFrame:
    """Return a DataFrame whose rows of some labels are of the kind "reference"."""
    return frame.assign(kind=frame["kind"].mask(frame["label"].isin(references), "reference"))


def first(
    table: pd.DataFrame, keys: Mapping[str, Key], seeds: Mapping[str, Seeds], *columns: str
) -> pd.DataFrame:
    """Return a table that begins with what its lines are about; the rest keeps its order.

    Args:
        table: a label in each of some columns; parts of keys that it has already are replaced.
        keys: label -> row.
        seeds: label -> what became of its runs.
        columns: which hold labels. Several give prefixed columns in their place: row_a, ...

    """
    columns = columns or ("label",)
    led = {}
    for column in columns:
        ending = f"_{column}" * (len(columns) > 1)
        labels = list(table[column])
        for name in FIRST:
            led[name + ending] = [_about(name, keys[label], seeds[label]) for label in labels]
    gone = {*FIRST, "title", "id", *(columns if len(columns) > 1 else ())}
    rest = table.drop(columns=[name for name in table if name in gone])
    return pd.concat([pd.DataFrame(led, index=table.index), rest], axis=1)


def _about(name: str, key: Key, seeds: Seeds) -> Any:
    """Return one of FIRST."""
    if name == "seeds_done":
        return seeds.done
    return seeds.planned if name == "seeds_planned" else getattr(key, name)
