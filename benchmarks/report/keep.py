"""Keep a report under results/reference/: its tables, and of its pictures those worth their size.

python -m benchmarks.report.keep digits
python -m benchmarks.report.keep aegan-stability-short --pictures forest,learning
"""

import re
import shutil
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.files import write_text

TABLES = ("table.csv", "table.tex", "differences.csv", "ranks.csv", "runs.csv", "truncation.csv")
PICTURE = re.compile(r"!\[(?P<caption>.*?)\]\((?P<name>[\w-]+)\.png\)\n\n(?P=caption)\.\n\n?")


def main(
    name: Annotated[str, typer.Argument(help="A folder of results/reports.")],
    pictures: Annotated[
        str | None,
        typer.Option(help="Only these, or groups such as forest or losses; else all."),
    ] = None,
    results: Annotated[Path, typer.Option(help="Folder of reports.")] = Path("results"),
) -> None:
    """Copy a report's tables and pictures; its page is made anew from the run folders."""
    source, target = results / "reports" / name, results / "reference" / name
    if not (source / "table.md").is_file():
        raise typer.BadParameter(f"{source} holds no report; run_all.py writes it")
    page = (source / "table.md").read_text()
    shown = [found["name"] for found in PICTURE.finditer(page)]
    wanted = None if pictures is None else pictures.split(",")
    kept = [n for n in shown if wanted is None or n in wanted or n.split("_")[0] in wanted]
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    for file in [*TABLES, *(f"{name}.png" for name in kept)]:
        if (source / file).exists():
            shutil.copy(source / file, target / file)
    write_text(target / "table.md", without_pictures(page, set(shown) - set(kept)))


def without_pictures(page: str, names: set[str]) -> str:
    """Return a Markdown report without some of its pictures and their captions."""
    return PICTURE.sub(lambda found: "" if found["name"] in names else found[0], page)


if __name__ == "__main__":
    typer.run(main)
