"""Where a training step's time goes, as the table of docs/speed.md.

python -m benchmarks.speed.profile bigan --size mlp1024
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import torch
import typer
from torch.profiler import ProfilerActivity, profile

from benchmarks.speed import cases

PROFILED = 20


def main(
    family: Annotated[str, typer.Argument(help="A family id.")],
    size: Annotated[str, typer.Option(help=f"One of {', '.join(cases.NETWORK_SIZES)}.")] = "mnist",
    rows: Annotated[int, typer.Option(min=1, help="How many operations.")] = 10,
) -> None:
    """Print a step's costliest operations: share of the time, calls and microseconds each."""
    run = cases.run_at(family, cases.NETWORK_SIZES[size])
    torch.set_num_threads(run.training.threads)
    with TemporaryDirectory() as folder:
        training = cases.training_of(run, Path(folder))
        for _ in range(PROFILED):
            cases.step(training)
        with profile(activities=[ProfilerActivity.CPU]) as measured:
            for _ in range(PROFILED):
                cases.step(training)
    found = sorted(measured.key_averages(), key=lambda e: -e.self_cpu_time_total)
    total = sum(event.self_cpu_time_total for event in found)
    print("| operation | share | calls per step | µs each |\n| --- | ---: | ---: | ---: |")
    for event in found[:rows]:
        own, calls = event.self_cpu_time_total, event.count
        print(f"| {event.key} | {own / total:.0%} | {calls / PROFILED:,.0f} | {own / calls:,.1f} |")


if __name__ == "__main__":
    typer.run(main)
