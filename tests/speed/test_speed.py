"""The arithmetic behind docs/speed.md; what is measured is measured in benchmarks/speed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.common.files import ROOT
from benchmarks.speed.floor import Rates, Work, floor_seconds
from benchmarks.speed.report import SPEED_PAGE, with_table
from benchmarks.speed.table import normalised, ratios, slowdowns, speed_table
from tests.helpers import BATCH, LATENT, tiny_run
from zoo.registry import FAMILIES

STEP = {
    "name": "test_step[bigan-digits]",
    "stats": {"median": 0.003, "min": 0.002},
    "extra_info": {
        "threads": 1, "reference_seconds": 0.004, "floor_seconds": 0.0005, "calls": 1410,
    },
}  # fmt: skip
PEER = {
    "name": "test_peer_loop[digits]",
    "stats": {"median": 0.012, "min": 0.01},
    "extra_info": {"threads": 1, "reference_seconds": 0.005, "speedup": 2.5},
}
CONTENT = {
    "machine_info": {
        "processor": "A processor", "cores": 2, "packages": {"torch": "2.11"},
        "python_version": "3.11",
    },
    "benchmarks": [STEP, PEER],
}  # fmt: skip


def test_the_floor_is_products_plus_optimiser_traffic() -> None:
    work = Work(flops=2_000_000, updates=1_000, calls=99)
    # 2 MFLOP at 1 GFLOP/s are 2 ms; 1,000 parameters x 28 bytes at 28 MB/s are 1 ms.
    assert floor_seconds(work, Rates(product=1e9, copy=28e6)) == pytest.approx(0.003)


def test_times_are_divided_by_the_reference_product_beside_them() -> None:
    step, peer = normalised(CONTENT)
    assert (step.normalised, peer.normalised) == (0.5, 2.0)
    assert (step.ratio, peer.ratio) == (4.0, None)
    assert ratios([step, peer]) == {"bigan-digits": 4.0}


def test_a_slower_machine_is_not_a_regression() -> None:
    slower = json.loads(json.dumps(CONTENT))
    for benchmark in slower["benchmarks"]:
        benchmark["stats"] = {name: 3 * value for name, value in benchmark["stats"].items()}
        benchmark["extra_info"]["reference_seconds"] *= 3
    changes = slowdowns(normalised(slower), normalised(CONTENT))
    assert changes == {
        "step[bigan-digits]": pytest.approx(1),
        "peer_loop[digits]": pytest.approx(1),
    }
    assert slowdowns(normalised(CONTENT), []) == {}


def test_the_table_shows_every_line_and_names_the_machine() -> None:
    table = speed_table(CONTENT)
    assert "| step[bigan-digits] | 1 | 3.00 | 2.00 | 0.50 | 4.00 | 1,410 | 0.50 |  |" in table
    assert "| peer_loop[digits] | 1 | 12.00 | 10.00 |  |  |  | 2.00 | 2.50 |" in table
    assert "A processor, 2 cores, torch 2.11, Python 3.11; reference product 4.00 ms" in table


def test_the_page_keeps_its_text_around_the_table() -> None:
    page = SPEED_PAGE.read_text()
    again = with_table(with_table(page, "one"), "two")
    assert "two" in again
    assert "one\n\n<!-- end" not in again
    assert again.split("<!-- table -->")[0] == page.split("<!-- table -->")[0]
    assert again.split("<!-- end of table -->")[1] == page.split("<!-- end of table -->")[1]


def test_every_family_has_a_recorded_ratio() -> None:
    path = ROOT / "benchmarks" / "speed" / "tripwire.json"
    recorded = json.loads(path.read_text())
    # A family without one would fail its benchmark; a ratio below one would be an error of measure.
    assert {f"{f}-{s}" for f in FAMILIES for s in ("digits", "mnist")} <= set(recorded)
    assert all(ratio > 1 for ratio in recorded.values())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_step_of_the_benchmark_is_a_step_of_the_loop(family: str, tmp_path: Path) -> None:
    import torch

    from benchmarks.speed.cases import step, training_of

    one, other = (training_of(tiny_run(family, steps=2), tmp_path) for _ in "ab")
    one.play()
    step(other)
    step(other)
    expected, found = (t.members[0].game.state_dict() for t in (one, other))
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_the_work_of_a_step_by_hand(tmp_path: Path) -> None:

    from benchmarks.speed.cases import training_of, work_of

    training = training_of(tiny_run("autoencoder"), tmp_path)
    work = work_of(training)
    width, pixels = 16, 64
    layers = [(pixels, width), (width, width), (width, LATENT),
              (LATENT, width), (width, width), (width, pixels)]  # fmt: skip
    # Forward, weight gradient and input gradient; the images themselves need none.
    products = 3 * sum(a * b for a, b in layers) - pixels * width
    assert work.flops == 2 * BATCH * products
    assert work.updates == sum(p.numel() for p in training.members[0].game.parameters())
    assert work.calls > 0


def test_a_step_works_for_the_peer_loop_too() -> None:
    from benchmarks.speed.cases import random_images
    from benchmarks.speed.peer import PeerLoop
    from benchmarks.training.loop import build

    run = tiny_run("bigan")
    peer = PeerLoop(build(run), random_images("digits"), BATCH, LATENT)
    before = {name: p.detach().clone() for name, p in peer.game.named_parameters()}
    peer.step()
    assert all((p != before[name]).any() for name, p in peer.game.named_parameters())


def test_the_report_needs_no_torch() -> None:
    code = "import sys, benchmarks.speed.report; print('torch' in sys.modules)"
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert output.strip() == "False"
