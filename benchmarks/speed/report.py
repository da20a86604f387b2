"""Print a saved benchmark file as the table of docs/speed.md, or keep it there.

python -m benchmarks.speed.report saved.json [--against older.json] [--write]
"""

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.common.files import ROOT, write_json, write_text
from benchmarks.speed.plot import growth
from benchmarks.speed.table import normalised, ratios, read, slowdowns, speed_table

SPEED_PAGE = ROOT / "docs" / "speed.md"
GROWTH = SPEED_PAGE.with_name("speed-growth.png")
TRIPWIRE = Path(__file__).with_name("tripwire.json")
START, END = "<!-- table -->\n", "<!-- end of table -->\n"


def main(
    saved: Annotated[Path, typer.Argument(help="Written by pytest --benchmark-json.")],
    against: Annotated[Path | None, typer.Option(help="An older file to compare with.")] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Put the table into docs/speed.md.")
    ] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Make these the tripwire's ratios.")
    ] = False,
) -> None:
    """Show, compare or keep the measurements of a file."""
    content = read(saved)
    typer.echo(speed_table(content))
    if against is not None:
        changes = slowdowns(normalised(content), normalised(read(against)))
        for name, factor in changes.items():
            typer.echo(f"{name}: {factor:.2f} times as long, in reference products")
    if write:
        write_text(SPEED_PAGE, with_table(SPEED_PAGE.read_text(), speed_table(content)))
        growth(normalised(content), GROWTH)
    if record:
        write_json(TRIPWIRE, ratios(normalised(content)))


def with_table(page: str, table: str) -> str:
    """Return a page with its table replaced."""
    before, rest = page.split(START)
    return before + START + "\n" + table + "\n" + END + rest.split(END)[1]


if __name__ == "__main__":
    typer.run(main)
