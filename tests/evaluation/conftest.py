"""What several tests of the evaluation share."""

import pytest

from benchmarks.evaluation.real_data import Reference
from datasets.loading import load


@pytest.fixture(scope="session")
def reference() -> Reference:
    return Reference(load("digits"))
