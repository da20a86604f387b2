"""Reports from run folders made by hand, and a reader of their pages."""

from contextlib import nullcontext
from html.parser import HTMLParser
from pathlib import Path
from unittest.mock import patch

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from benchmarks.planning import suites
from benchmarks.planning.config import Claim, Published, Suite
from benchmarks.planning.plan import Job
from benchmarks.report.build import write_report
from benchmarks.report.data import frame
from benchmarks.report.data.contents import Contents, gather
from tests.planning.run_folders import run_of, write_run

FID = {"aegan": [1.0, 1.1, 1.2], "bigan": [5.0, 5.5, 4.5], "bigan_qp": [12.0, 13.0, 12.5]}
MSE = {"aegan": [0.02, 0.03, 0.04], "bigan": [0.02, 0.03, 0.04], "bigan_qp": [0.03, 0.02, 0.05]}
CLAIM = Claim(
    row="aegan", against="bigan", metric="fid_hybrid", expected="lower", says="AEGAN <is> ahead"
)
SAID = Published(row="bigan", metric="fid_hybrid", value=4.0, source="a paper")


def suite_of(**changes) -> Suite:
    return suites.load_suite("digits").model_copy(update={"families": tuple(FID)} | changes)


def pictures(job: Job) -> None:
    """Draw what an evaluation would, in grey."""
    for name in ("samples", "reconstructions", "interpolation", "neighbours", "truncated"):
        plt.imsave(job.folder / f"{name}.png", np.full((20, 30, 3), 0.5))
    for step in (50, 100):
        plt.imsave(job.folder / f"samples-{step:07d}.png", np.full((9, 60, 3), 0.5))
    xy, labels = np.arange(20, dtype=np.float32).reshape(10, 2), np.arange(10, dtype=np.uint8)
    np.savez(job.folder / "embedding.npz", xy=xy, labels=labels)


def hand_made(results: Path, lost: bool = False, draw: bool = False) -> list[Job]:
    """Three families, three seeds each; `lost`: the last one of bigan diverged."""
    jobs = []
    for family, values in FID.items():
        for seed, fid in enumerate(values):
            metrics = {"fid_hybrid": fid, "reconstruction_mse": MSE[family][seed]}
            metrics |= {"train_seconds": 60.0, "evaluation_seconds": 5.0, "parameters": 28_978.0}
            curve = [
                {"step": s, "seconds": s / 10, "G/fool": 1.0 / s, "D/real": 0.5, "D/grad_norm": 2.0}
                for s in (50, 100, 150)
            ]
            light = [
                {"step": s, "seconds": s / 10, "protocol": "1", "fid_hybrid": 500 / s, **rest}
                for s, rest in ((100, {}), (200, {"reconstruction_ratio": 0.9}))
            ]
            status = "diverged" if lost and (family, seed) == ("bigan", 2) else "trained"
            job = write_run(
                results, run_of(family, seed), metrics, status, curve=curve, light=light
            )
            if draw:
                pictures(job)
            jobs.append(job)
    return jobs


def contents_of(jobs: list[Job], **changes) -> Contents:
    controls = pd.DataFrame(columns=frame.results_frame(jobs).columns)
    return gather(suite_of(**changes), jobs, controls, "python run_all.py")


class Page(HTMLParser):
    """Rows of the main table, and what the page asks for from outside."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: dict[str, list[tuple[str | None, str]]] = {}
        self.sources: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.main = self.broken = False
        self.row: list[tuple[str | None, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.sources += [str(v) for k, v in attrs if k in ("src", "href") and v and v[0] != "#"]
        self.images += [given] if tag == "img" else []
        self.broken = tag == "wbr"
        self.main = given.get("id") == "headline" if tag == "table" else self.main
        if tag == "tr":
            self.row = []
        elif tag in ("td", "th") and self.main:
            self.row.append((given.get("data-value"), ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr" and self.main and self.row:
            self.rows[self.row[0][1]] = self.row
        self.main = self.main and tag != "table"

    def handle_data(self, data: str) -> None:
        if self.main and self.row:
            value, text = self.row[-1]
            self.row[-1] = value, " ".join((text + " " * (not self.broken) + data).split())
            self.broken = False


def written(results: Path, contents: Contents, drawn: bool = False) -> tuple[Page, str]:
    """Write a report and read its page; without figures, which take most of the time."""
    with nullcontext() if drawn else patch("benchmarks.report.build._figures", return_value={}):
        text = (write_report(contents, results) / "index.html").read_text()
    return Page(text), text
