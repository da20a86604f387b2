"""What `python -m tests.regression.mutations` plants: a change of the text of one file."""

from dataclasses import dataclass

BIGAN = ("controlled bigan (eager)",)


@dataclass(frozen=True)
class Planted:
    """A change of the text of one file.

    Attributes:
        what: the fault, in words.
        file: from the top of the checkout.
        old: text that occurs exactly `times` times in it.
        new: what it is replaced by.
        cases: parts of the names of the golden cases that are looked at.
        times: how often `old` occurs; all are replaced.

    """

    what: str
    file: str
    old: str
    new: str
    cases: tuple[str, ...] = BIGAN
    times: int = 1
