"""Measures one after another: stages are told, an undefined one stops no other."""

import pytest
import torch

from benchmarks.evaluation.evaluate import evaluate
from benchmarks.evaluation.measures import measure
from benchmarks.evaluation.metrics.undefined import Undefined, require_rows
from benchmarks.evaluation.real_data import Reference
from benchmarks.evaluation.registry import METRICS
from benchmarks.evaluation.scoring import scoring_copy
from benchmarks.evaluation.stages import heard_by
from tests.helpers import tiny_game


def test_one_undefined_metric_does_not_stop_the_others() -> None:
    def undefined() -> float:
        require_rows("b", 3, codes=torch.zeros(2, 1))
        return 0.0

    row = measure({"a": lambda: 1.0, "b": undefined, "c": lambda: 2.0})
    assert row.metrics == {"a": 1, "c": 2}
    assert row.undefined == {"b": "b needs at least 3 rows of codes, got 2"}
    assert set(row.seconds) == {"a", "b", "c"}
    with pytest.raises(ZeroDivisionError):  # a fault of the code is none of the data
        measure({"a": lambda: 1 / 0})
    with pytest.raises(Undefined, match="b has non-finite codes"):
        require_rows("b", 1, codes=torch.tensor([torch.inf]))


def test_stages_are_told_to_who_listens(reference: Reference) -> None:
    heard: list[str] = []
    copy = scoring_copy(tiny_game("bigan"), reference.images.train, reference.protocol)
    wanted = ("reconstruction_mse", "latent_error", "code_mean")
    with heard_by(heard.append):
        evaluate(copy, reference, wanted)
    assert set(heard) == {METRICS[name].question for name in wanted}
    evaluate(copy, reference, wanted)
    assert len(heard) == 2  # each as it begins; and nobody listens any more
