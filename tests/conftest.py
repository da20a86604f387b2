"""One thread per test process: there are as many processes as cores already."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything imports torch
# Waiting threads sleep: on a busy machine, spinning would be much of an evaluation's time.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from pathlib import Path

import pytest


@pytest.fixture
def nothing_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is really published out of a test."""
    monkeypatch.setattr("benchmarks.records.published.ROOT", tmp_path / "checkout")
