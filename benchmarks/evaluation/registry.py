"""The one table of metrics: the evaluation, the report, the check and the documents read it.

Imports nothing heavy.
"""

from dataclasses import dataclass
from typing import Literal

Question = Literal["samples", "representation", "consistency", "cost"]


@dataclass(frozen=True)
class Metric:
    """What a number is.

    Attributes:
        name: key in metrics.json and column in the CSV.
        title: column head of the printed table.
        question: which part of the comparison it belongs to.
        description: what it is measured with and on, one line.
        direction: which way is better; "none" for costs that only inform.
        unit: unit, or what 1 means.
        range: possible values.
        scale: where its spread is closest to normal: intervals and checks are computed there.
        control: the control row to read it against.
        headline: shown in the printed table (the CSV has all).
        floor: smallest difference the check calls a regression, if the check gates this metric;
            relative on the log scale, absolute otherwise.
        digits: decimals in tables.
        factor: what tables multiply it by.
        target: the best value, if the direction is "target".

    """

    name: str
    title: str
    question: Question
    description: str
    direction: Literal["lower", "higher", "target", "none"]
    unit: str
    range: str
    scale: Literal["linear", "log", "logit"]
    control: str
    headline: bool = True
    floor: float | None = None
    digits: int = 3
    factor: float = 1.0
    target: float | None = None


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            "fid_hybrid",
            "FID",
            "samples",
            "Fréchet distance of samples G(z) to the training set, on the dataset's own extractor",
            "lower",
            "squared feature units",
            "[0, inf)",
            "log",
            "real, untrained",
            floor=0.10,
            digits=2,
        ),
        Metric(
            "kid_hybrid",
            "KID ×1000",
            "samples",
            "kernel distance of the same features; unbiased, so it may be slightly negative",
            "lower",
            "×1000",
            "around 0 upwards, may be slightly negative",
            "linear",
            "real, untrained",
            digits=1,
            factor=1000.0,
        ),
        Metric(
            "is_hybrid",
            "IS",
            "samples",
            "Inception Score from the extractor's classifier; blind to collapse within a class",
            "higher",
            "effective classes",
            "[1, classes]",
            "log",
            "real, untrained",
            headline=False,
            digits=2,
        ),
        Metric(
            "knn1_accuracy_features",
            "1-NN features",
            "representation",
            "1-nearest-neighbour test accuracy on the layer before E's output, plain Euclidean",
            "higher",
            "rate",
            "[0, 1]",
            "logit",
            "raw pixels, untrained",
            floor=0.005,
        ),
        Metric(
            "knn1_accuracy_code",
            "1-NN E(x)",
            "representation",
            "1-nearest-neighbour test accuracy on E(x), plain Euclidean",
            "higher",
            "rate",
            "[0, 1]",
            "logit",
            "raw pixels, untrained",
        ),
        Metric(
            "probe_accuracy_features",
            "probe features",
            "representation",
            "linear-probe test accuracy on the layer before E's output, standardised, C = 1",
            "higher",
            "rate",
            "[0, 1]",
            "logit",
            "raw pixels, untrained",
        ),
        Metric(
            "probe_accuracy_code",
            "probe E(x)",
            "representation",
            "linear-probe test accuracy on E(x), standardised, C = 1",
            "higher",
            "rate",
            "[0, 1]",
            "logit",
            "raw pixels, untrained",
            headline=False,
        ),
        Metric(
            "probe_converged",
            "probe converged",
            "representation",
            "share of runs in which every linear probe converged",
            "none",
            "rate",
            "[0, 1]",
            "linear",
            "-",
            headline=False,
            digits=2,
        ),
        Metric(
            "reconstruction_mse",
            "recon. MSE",
            "consistency",
            "mean squared error of G(E(x)) on test images, pixels in [0, 1]",
            "lower",
            "squared pixels",
            "[0, 1]",
            "log",
            "mean image, random pair",
            floor=0.05,
            digits=4,
        ),
        Metric(
            "reconstruction_ratio",
            "recon. ratio",
            "consistency",
            "mean L2 norm of x - G(E(x)) over that of a random pair; 1 = no information kept",
            "lower",
            "1 = random pair",
            "[0, inf)",
            "log",
            "mean image",
        ),
        Metric(
            "label_agreement",
            "label kept",
            "consistency",
            "share of test images whose reconstruction gets the same class from the extractor",
            "higher",
            "rate",
            "[0, 1]",
            "logit",
            "mean image, random pair",
        ),
        Metric(
            "latent_error",
            "latent error",
            "consistency",
            "mean squared error of E(G(z)) over the variance of z; 1 = the prior's mean",
            "lower",
            "1 = prior mean",
            "[0, inf)",
            "log",
            "untrained",
            floor=0.05,
        ),
        Metric(
            "train_seconds",
            "train s",
            "cost",
            "seconds of training, evaluations left out; beside other runs",
            "none",
            "s",
            "(0, inf)",
            "log",
            "-",
            digits=0,
        ),
        Metric(
            "train_images_per_second",
            "train images/s",
            "cost",
            "real images per generator-encoder update over the time of an update, after a warm-up",
            "none",
            "1/s",
            "(0, inf)",
            "log",
            "-",
            headline=False,
            digits=0,
        ),
        Metric(
            "generate_images_per_second",
            "generate images/s",
            "cost",
            "images per second of G in inference mode",
            "none",
            "1/s",
            "(0, inf)",
            "log",
            "-",
            headline=False,
            digits=0,
        ),
        Metric(
            "encode_images_per_second",
            "encode images/s",
            "cost",
            "images per second of E in inference mode",
            "none",
            "1/s",
            "(0, inf)",
            "log",
            "-",
            headline=False,
            digits=0,
        ),
        Metric(
            "peak_memory_mib",
            "peak MiB",
            "cost",
            "peak memory of training: tensors on a GPU; on a CPU the whole worker, data included",
            "none",
            "MiB",
            "(0, inf)",
            "log",
            "-",
            headline=False,
            digits=0,
        ),
        Metric(
            "parameters",
            "parameters",
            "cost",
            "trainable parameters of all players",
            "none",
            "count",
            "[0, inf)",
            "linear",
            "-",
            headline=False,
            digits=0,
        ),
    )
}

LIGHT = ("fid_hybrid", "reconstruction_ratio", "latent_error")
"""Measured during training at log-spaced steps, on fewer samples."""

GATED = tuple(name for name, metric in METRICS.items() if metric.floor is not None)
"""What the regression check looks at: few, so that it keeps its power."""
