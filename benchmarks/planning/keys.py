"""What a row of a table is: structure that nobody has to read out of its name."""

from dataclasses import dataclass
from typing import Literal

from zoo.registry import about

Kind = Literal["model", "reference", "control"]


def label_of(name: str, readout: str = "") -> str:
    """Return what people read of a row, or of one of its readouts."""
    return f"{name} ({readout})" if readout else name


@dataclass(frozen=True)
class Key:
    """Which row of a table.

    Attributes:
        row: the suite's row, without its variant; a control's id.
        family: the module (or file) that is played, by name; "" for a control.
        variant: of that row; "" for the row itself.
        readout: which part of a training; "" for the training's own numbers.
        kind: "reference" is a model of one direction only.
        title: a control's words; the suite's name of a varied row.

    """

    row: str
    family: str
    variant: str = ""
    readout: str = ""
    kind: Kind = "model"
    title: str = ""

    @property
    def id(self) -> str:
        """What files and the command line call it, with its readout."""
        return label_of(self.title or label_of(self.row, self.variant), self.readout)

    @property
    def name(self) -> str:
        """What people call the row with its variant, whatever the readout."""
        if self.kind == "control":
            return self.title or self.row
        return label_of(self._row_name, self.variant.replace("_", " "))

    @property
    def label(self) -> str:
        """What people read of it in a table; no two rows of a report have the same."""
        return label_of(self.name, self.readout)

    @property
    def unvaried(self) -> str:
        """What the row that it varies is called, with the same readout."""
        return label_of(self._row_name, self.readout)

    @property
    def _row_name(self) -> str:
        return about(self.family).title if self.row == self.family else self.row
