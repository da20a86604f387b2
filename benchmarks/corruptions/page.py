"""The page on corruptions: two tables, and whether what metrics are trusted for holds in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.evaluation.protocol import PROTOCOLS, VERSION
from benchmarks.evaluation.registry import METRICS, head, number, table_line

NULL_COVERAGE = 1 - 2.0**-5
"""What equal distributions reach (Naeem et al. 2020)."""
AVERAGE, SHIFT = "average with another", "shift by 1 px"
READING = (
    "Real images, damaged in known ways, go through the evaluation as if a model had made them. "
    "Down a column stands what a metric sees and what it is blind to; compare each row with "
    "*clean* (its distance from the ideal is the noise of finite samples) or *identity*. Arrows "
    "say which way is better; what a column is stands in [metrics.md](../metrics.md).\n"
)


@dataclass(frozen=True)
class Sizes:
    """How strong the corruptions are, mild ones first; also what their rows are called.

    Attributes:
        blurs: standard deviations in pixels.
        repeats: how many images differ, the rest repeats them.
        pca: components of the one that samples pass.
        components: of those that reconstructions pass.
        noises: standard deviations in units of the whole range of pixels.

    """

    blurs: tuple[float, ...]
    repeats: tuple[int, ...]
    pca: int
    components: tuple[int, ...]
    noises: tuple[float, ...] = (0.05, 0.1, 0.2)

    @staticmethod
    def blur_of(sigma: float) -> str:
        """Return the name of a row."""
        return f"blur {sigma:g}"

    @staticmethod
    def noise_of(scale: float) -> str:
        """Return the name of a row."""
        return f"noise {scale:g}"

    @staticmethod
    def repeats_of(k: int) -> str:
        """Return the name of a row."""
        return f"{k:,} images repeated"

    @staticmethod
    def pca_of(dimensions: int) -> str:
        """Return the name of a row."""
        return f"PCA {dimensions}"


@dataclass(frozen=True)
class Line:
    """What was measured of one set of images.

    Attributes:
        count: how many images, in words.
        kept: share of real images whose class is among them.
        metrics: metric -> value.
        undefined: metric -> why it has no value.

    """

    count: str
    kept: float
    metrics: dict[str, float]
    undefined: dict[str, str]


Lines = Mapping[str, Line]


@dataclass(frozen=True)
class Rises:
    """Claim: a metric's values rise strictly in this order of rows."""

    about: str
    metric: str
    rows: tuple[str, ...]

    def verdict(self, lines: Lines) -> tuple[bool, str]:
        """Return whether it holds, and the numbers."""
        metric = METRICS[self.metric]
        values = [lines[row].metrics[self.metric] for row in self.rows]
        said = [f"{r} {number(v, metric)}" for r, v in zip(self.rows, values, strict=True)]
        return all(a < b for a, b in pairwise(values)), " → ".join(said)


@dataclass(frozen=True)
class Near:
    """Claim: a metric's value in a row is as expected, within a tolerance."""

    about: str
    metric: str
    row: str
    expected: float
    tolerance: float

    def verdict(self, lines: Lines) -> tuple[bool, str]:
        """Return whether it holds, and the numbers."""
        metric, value = METRICS[self.metric], lines[self.row].metrics[self.metric]
        expected, tolerance = number(self.expected, metric), number(self.tolerance, metric)
        said = f"{self.row} {number(value, metric)}, expected {expected} ± {tolerance}"
        return abs(value - self.expected) <= self.tolerance, said


Claim = Rises | Near


def sample_claims(sizes: Sizes, lines: Lines) -> list[Claim]:
    """Return what samples are trusted to show."""
    noises = ("clean", *map(sizes.noise_of, sizes.noises))
    blurs = ("clean", *map(sizes.blur_of, sizes.blurs))
    repeats = ("clean", *map(sizes.repeats_of, sizes.repeats))
    losses = ("clean", "one class at a tenth", "one class lost", "five classes lost")
    families = {"noise": noises, "blur": blurs, "repeats": repeats, "classes": losses}
    most, ten, clean = repeats[1], repeats[-1], lines["clean"].metrics
    precision = clean["precision_hybrid"]
    return [
        Rises("total collapse is worse than blur", "fid_hybrid", (blurs[-1], ten)),
        Rises("total collapse is worse than noise", "fid_hybrid", (noises[-1], ten)),
        Rises("half of the classes is worse than blur", "fid_hybrid", (blurs[-2], losses[-1])),
        *(
            Rises(f"monotone: {family}", metric, rows)
            for metric in ("fid_hybrid", "kid_hybrid")
            for family, rows in families.items()
        ),
        *(
            Near("coverage loses the lost share", "coverage_hybrid", row, expected, 0.03)
            for row in ("clean", *losses[2:])
            for expected in [NULL_COVERAGE * lines[row].kept]
        ),
        Rises("coverage sees collapse", "coverage_hybrid", repeats[::-1]),
        Near("IS is blind to collapse", "is_hybrid", ten, clean["is_hybrid"], 0.5),
        Near("precision is blind to collapse", "precision_hybrid", most, precision, 0.05),
        Near(
            "precision sees foreign images one to one",
            *("precision_hybrid", "10 % noise images", 0.9 * precision, 0.03),
        ),
        Near("recall is 0 for mere blur too", "recall_hybrid", blurs[-1], 0, 0.05),
        Rises("density praises the typical", "density_hybrid", ("clean", blurs[1])),
        Rises("duplicates show", "near_duplicates", ("clean", most)),
        Rises("FID rewards copying", "fid_hybrid", ("memorised", "clean")),
        Rises("the copy rate sees copying", "copy_rate", ("clean", "memorised")),
        Rises("sharpness tells blur from noise", "hf_ratio", (*blurs[:0:-1], *noises)),
        Rises("sample to real sees averaging", "nearest_real_ratio", (blurs[1], "clean")),
    ]


def reconstruction_claims(sizes: Sizes, lines: Lines) -> list[Claim]:
    """Return what reconstructions are trusted to show: why no number stands alone."""
    mean, same, other = "mean image", "another of its class", "random other image"
    blurs, pca = map(sizes.blur_of, sizes.blurs), tuple(map(sizes.pca_of, sizes.components))
    first, *_, last = blurs
    return [
        Rises("MSE prefers the mean image to its class", "reconstruction_mse", (mean, same)),
        Rises("the label does the opposite", "label_agreement", (mean, same)),
        Near("the label is content with any image of its class", "label_agreement", same, 1, 0.05),
        Near("no other image of its class is taken for it", "image_retrieval", same, 0, 0.05),
        Rises("MSE prefers a double exposure to a shift", "reconstruction_mse", (AVERAGE, SHIFT)),
        Rises("the label does the opposite", "label_agreement", (AVERAGE, SHIFT)),
        *(
            Rises(f"monotone: {family}", metric, rows)
            for metric in ("reconstruction_mse", "reconstruction_feature_ratio")
            for family, rows in {
                "blur": ("identity", first, last),
                "PCA": ("identity", *pca),
                "shift": ("identity", SHIFT, "shift by 2 px"),
            }.items()
        ),
        Rises(
            "perceptual distance orders them all",
            *("reconstruction_feature_ratio", ("identity", AVERAGE, mean, other)),
        ),
        Near("without information the ratio is 1", "reconstruction_ratio", mean, 1, 0.02),
        Rises("sharpness falls with PCA", "reconstruction_hf_ratio", (*pca[::-1], "identity")),
    ]


def page(
    dataset: str, sizes: Sizes, n: int, others: int, samples: Lines, reconstructions: Lines
) -> str:
    """Return the page of a dataset as Markdown.

    Args:
        dataset: its name.
        sizes: of the corruptions.
        n: samples in a set.
        others: training images to compare with.
        samples: corruption -> what was measured.
        reconstructions: the same of reconstructions.

    """
    option = "" if dataset == "digits" else " --data DIR"
    parts = [
        f"# What the metrics react to: {dataset}\n",
        f"Written by `python -m benchmarks.corruptions.measure {dataset}{option}`, not edited "
        f"by hand. Protocol {VERSION}, extractor {PROTOCOLS[dataset].extractor}.\n",
        READING,
        "## As samples\n",
        f"{n:,} images of one random half of the training set, against the {others:,} of the other "
        f"(neighbours and KID: {n:,} of them). *Memorised* are the very images compared with. "
        "Test images are what copy rate and real-to-sample compare with, so these two are 0 there "
        'by definition. "10,000 of 10" in the second column: 10 different images, repeated.\n',
        table(samples),
        "## As reconstructions of the test images\n",
        table(reconstructions),
        "## What holds\n",
        "What the extractor and the metrics are trusted for, checked on these numbers: they should "
        "rise from left to right, or be as expected.\n",
        verdicts(sample_claims(sizes, samples), samples),
        verdicts(reconstruction_claims(sizes, reconstructions), reconstructions),
    ]
    return "\n".join(parts)


def table(lines: Lines) -> str:
    """Return a table of corruptions by metrics; below it, why cells are empty."""
    seen = {metric for line in lines.values() for metric in line.metrics | line.undefined}
    metrics = [metric for metric in METRICS.values() if metric.name in seen]
    rows = [
        table_line(["images", "n", *map(head, metrics)]),
        table_line(["---", "---:", *["---:"] * len(metrics)]),
    ]
    for name, line in lines.items():
        values = [(m, line.metrics.get(m.name)) for m in metrics]
        cells = ["" if value is None else number(value, m) for m, value in values]
        rows.append(table_line([name, line.count, *cells]))
    empty = [f"{name}: {why}." for name, line in lines.items() for why in line.undefined.values()]
    return "\n".join([*rows, *(["", "Empty: " + " ".join(empty)] if empty else [])]) + "\n"


def verdicts(claims: Sequence[Claim], lines: Lines) -> str:
    """Return a table of claims: what, in which metric, whether it holds, the numbers."""
    rows = [table_line(["claim", "metric", "holds", "numbers"]), table_line(["---"] * 4)]
    for claim in claims:
        holds, numbers = claim.verdict(lines)
        said = "holds" if holds else "**does not hold**"
        rows.append(table_line([claim.about, METRICS[claim.metric].title, said, numbers]))
    return "\n".join(rows) + "\n"
