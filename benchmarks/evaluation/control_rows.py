"""Every control row there is: what the evaluation measures and the report shows beside models.

Imports nothing heavy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from benchmarks.evaluation.measures import Row


@dataclass(frozen=True)
class Control:
    """One control.

    Attributes:
        id: its stable name in files.
        title: what people read, and what `metrics.toml` calls it.
        what: it stands for, in a few words.
        numbered: its title where it is measured with a number: images, dimensions.
        real: it shows real images, so that no model is its rival.
        ignorant: it knows nothing of the data, or no more than the mean.
        repeated: it is measured several times: splits, draws or first weights.

    """

    id: str
    title: str
    what: str
    numbered: str = ""
    real: bool = False
    ignorant: bool = False
    repeated: bool = False

    def titled(self, number: int | None = None) -> str:
        """Return its title, with its number where it has one."""
        return self.title if number is None else self.numbered.format(number)


UNTRAINED = "untrained"
_REAL = "real images in place of samples: what a perfect generator would reach"
_ALL = (
    Control("real_train", "real", _REAL, "real, {:,} of train", real=True, repeated=True),
    Control("real_test", "real", _REAL, "real, {:,} of test", real=True),
    Control(
        *("training_set", "training set repeated"),
        "the training images themselves in place of samples: a pure copier",
        real=True,
    ),
    Control("noise", "noise", "random pixels in place of samples", ignorant=True),
    Control("raw_pixels", "raw pixels", "the image itself in place of features"),
    Control(
        *("pca", "PCA"),
        "principal components in place of E and G, as many as z has numbers",
        "PCA, {} dimensions",
    ),
    Control(
        *("mean_image", "mean image"),
        "the average training image in place of every sample and reconstruction",
        ignorant=True,
    ),
    Control(
        *("mean_point", "mean point"),
        "the average training point in place of every sample and reconstruction",
    ),
    Control(
        *("nearest_mode", "nearest mode"),
        "the centre of a point's mode in place of its reconstruction",
    ),
    Control(
        *("random_pair", "random pair"),
        "another test image in place of the reconstruction",
        ignorant=True,
    ),
    Control(
        *("prior_draws", "prior draws"),
        "draws of the prior in place of codes E(x)",
        repeated=True,
    ),
    Control(
        *(UNTRAINED, "untrained"),
        "the networks before their first step",
        ignorant=True,
        repeated=True,
    ),
)
CONTROLS = {control.id: control for control in _ALL}
"""Control by id."""


class Measured(NamedTuple):
    """Control rows of a dataset.

    Attributes:
        rows: id -> what was measured, once per repetition.
        titles: id -> what people read.

    """

    rows: dict[str, list["Row"]]
    titles: dict[str, str]


def measured(rows: dict[str, list["Row"]], numbers: Mapping[str, int]) -> Measured:
    """Return control rows with their titles.

    Args:
        rows: id -> what was measured, once per repetition.
        numbers: id -> the number in its title, where it has one.

    """
    return Measured(rows, {name: CONTROLS[name].titled(numbers.get(name)) for name in rows})
