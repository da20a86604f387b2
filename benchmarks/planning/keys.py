"""What a row of a table is: structure that nobody has to read out of its name."""

from dataclasses import dataclass
from typing import Literal

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
        title: what people call the row with its variant where that is neither the row's own name
            nor "row (variant)": a suite's name for a varied row, a control's words.

    """

    row: str
    family: str
    variant: str = ""
    readout: str = ""
    kind: Kind = "model"
    title: str = ""

    @property
    def name(self) -> str:
        """What people call the row with its variant, whatever the readout."""
        return self.title or label_of(self.row, self.variant)

    @property
    def label(self) -> str:
        """What people read of it in a table; no two rows of a report have the same."""
        return label_of(self.name, self.readout)

    @property
    def unvaried(self) -> str:
        """What the row that it varies is called, with the same readout."""
        return label_of(self.row, self.readout)
