"""What of the register counts as decided: Holm over all its verdicts."""

from typing import Any

import pytest

from benchmarks.docgen import published
from benchmarks.docgen.published import Report
from benchmarks.planning.suites import load_suite


def verdict(p: float | None, word: str = "for", at_scale: bool = True, claim: str = "1") -> Any:
    return {"claim": claim, "verdict": word, "p": p, "at_scale": at_scale}


@pytest.mark.parametrize(
    ("said", "decided"),
    [
        ([verdict(0.001), verdict(0.04)], [True, True]),  # .002 and .04
        ([verdict(0.03), verdict(0.04)], [False, False]),  # .06 and .06
        ([verdict(0.03), verdict(None)], [True, False]),  # no test, and not counted as one
        ([verdict(0.001, at_scale=False)], [False]),
        ([verdict(0.001, word="open")], [False]),
        ([verdict(0.03), verdict(0.001, claim="")], [True]),  # not of the register
    ],
)
def test_decided_is_what_holm_leaves(said: list[Any], decided: list[bool], monkeypatch) -> None:
    suite = load_suite("digits")
    long = {"digits": Report("digits", suite, {"verdicts": said[:1]})}
    reduced = {"digits": Report("digits-short", suite, {"verdicts": said[1:]})}
    monkeypatch.setattr(published, "reports", lambda short=False: reduced if short else long)
    assert [one.decided for one in published.judged.__wrapped__()] == decided
