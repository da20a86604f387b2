"""Keeping a report: its tables, the pictures asked for, and a page that shows no others."""

from pathlib import Path

import pytest
import typer

from benchmarks.report.keep import main

PAGE = """# suite

![First (a, b)](forest_samples.png)

First (a, b).

![Second](samples.png)

Second.

## Provenance
"""


@pytest.mark.parametrize("pictures", [None, "forest_samples", "forest"])
def test_a_report_is_kept_with_the_pictures_asked_for(pictures: str | None, tmp_path: Path) -> None:
    source, target = tmp_path / "reports" / "suite", tmp_path / "reference" / "suite"
    source.mkdir(parents=True)
    target.mkdir(parents=True)
    (target / "of-last-time.png").touch()
    (source / "table.md").write_text(PAGE)
    for name in ("table.csv", "forest_samples.png", "samples.png", "index.html"):
        (source / name).touch()
    main("suite", pictures, tmp_path)
    kept = {"table.md", "table.csv", "forest_samples.png"} | (
        {"samples.png"} if pictures is None else set()
    )
    assert {path.name for path in target.iterdir()} == kept
    page = (target / "table.md").read_text()
    assert "![First (a, b)](forest_samples.png)" in page
    assert ("Second" in page) == (pictures is None)
    assert page.endswith("## Provenance\n")


def test_without_a_report_there_is_nothing_to_keep(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="holds no report"):
        main("suite", None, tmp_path)
