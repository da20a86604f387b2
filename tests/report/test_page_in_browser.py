"""The page in a real browser: no errors, a table that sorts, small and large, light and dark."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.evaluation.registry import METRICS
from benchmarks.report.build import write_report
from benchmarks.report.data import frame
from benchmarks.report.data.contents import gather
from tests.planning.run_folders import run_of, write_run
from tests.report.report_pages import contents_of, hand_made, suite_of

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=f"none of {', '.join(NAMES)} is installed")
SIZES = {"phone": (390, 844), "laptop": (1200, 800), "desktop": (1600, 1000)}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("results")
    jobs = hand_made(results, lost=True, draw=True)
    return write_report(contents_of(jobs), results) / "index.html"


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with every metric, references, controls and many digits."""
    results = tmp_path_factory.mktemp("crowded")
    every = dict.fromkeys(METRICS, 0.7) | {"parameters": 1_234_567.0, "train_seconds": 1445.0}
    samples = {
        name: v for name, v in every.items() if METRICS[name].question in ("samples", "cost")
    }
    jobs = [
        write_run(results, run_of(family, seed), {n: v * (1 + seed / 9) for n, v in own.items()})
        for family, own in {"bigan": every, "bigan_qp": every, "gan": samples}.items()
        for seed in range(3)
    ]
    control = frame.results_frame(jobs).iloc[:3].assign(family="real, 10,000 of test")
    contents = gather(suite_of(), jobs, control, "python run_all.py")
    return write_report(contents, results) / "index.html"


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        # Containers run as root, where Chromium's sandbox cannot.
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


def opened(browser, report: Path, size: str = "desktop", scheme: str = "light"):
    """Return the page, and what it has complained of."""
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.set_default_timeout(120_000)  # of milliseconds: the machine may be busy
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.goto(report.as_uri())
    return page, complaints


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_it_opens_everywhere(browser, report: Path, size: str, scheme: str) -> None:
    page, complaints = opened(browser, report, size, scheme)
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    colours = page.evaluate("getComputedStyle(document.body).backgroundColor")
    bright = sum(map(int, colours.removeprefix("rgb(").removesuffix(")").split(","))) / 3 > 128
    assert bright == (scheme == "light")
    broken = "[...document.images].filter((i) => !i.complete || !i.naturalWidth || !i.alt).length"
    assert page.evaluate("document.images.length") > 20
    assert page.evaluate(broken) == 0
    picture = page.screenshot(full_page=True, path=report.with_name(f"{size}-{scheme}.png"))
    assert len(picture) > 50_000
    page.close()


def test_the_columns_that_matter_are_seen_at_once(browser, crowded: Path) -> None:
    page, _ = opened(browser, crowded, "laptop")
    box = "document.querySelector('#headline').parentElement"
    assert page.evaluate("document.querySelectorAll('#headline thead th').length") == 2 + 8 + 2
    assert page.evaluate(f"{box}.scrollWidth <= {box}.clientWidth")
    headlines = sum(metric.headline for metric in METRICS.values())
    assert f"8 of {headlines} headline columns" in page.content()  # parameters, failed: none
    page.locator("a", has_text="all below").click()
    assert page.locator("#all-columns table").is_visible()
    page.close()


def test_names_stay_beside_the_numbers_of_a_wide_table(browser, crowded: Path) -> None:
    page, _ = opened(browser, crowded, "phone")
    left = "document.querySelector('#headline tbody.model th').getBoundingClientRect().left"
    before = page.evaluate(left)
    page.evaluate("document.querySelector('#headline').parentElement.scrollLeft = 300")
    assert page.evaluate(left) == before
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES["phone"][0]
    page.close()


def families(page) -> list[str]:
    rows = page.locator("#headline tbody.model tr th")
    return [row.strip() for row in rows.all_text_contents()]


def test_the_table_sorts(browser, report: Path) -> None:
    page, complaints = opened(browser, report)
    assert families(page) == ["AEGAN", "BiGAN", "BiGAN-QP"]
    fid = page.locator("#headline th", has_text="FID")
    assert "Fréchet distance" in fid.get_attribute("title")
    assert "squared feature units" in fid.get_attribute("title")
    for direction, order in (
        ("ascending", ["AEGAN", "BiGAN", "BiGAN-QP"]),  # by 12.5 > 5, not as text
        ("descending", ["BiGAN-QP", "BiGAN", "AEGAN"]),
    ):
        fid.locator("button").click()
        assert fid.get_attribute("aria-sort") == direction
        assert families(page) == order
    page.locator("#headline th button", has_text="model").click()
    assert families(page) == ["AEGAN", "BiGAN", "BiGAN-QP"]
    assert page.locator("#headline [aria-sort]").count() == 1
    assert page.locator("tr.lost th").first.text_content() == "BiGAN"
    assert complaints == []
    page.close()


def test_paper_opens_all_details(browser, report: Path) -> None:
    page, _ = opened(browser, report)
    assert page.evaluate("document.querySelectorAll('details:not([open])').length") > 0
    assert len(page.pdf()) > 20_000
    assert page.evaluate("document.querySelectorAll('details:not([open])').length") == 0
    page.close()


def test_no_figure_is_higher_than_a_sheet_of_paper(browser, report: Path) -> None:
    """Else its heading stands alone on one page, and its caption on a third."""
    page, _ = opened(browser, report)
    page.emulate_media(media="print")
    centimetre = 96 / 2.54
    heights = page.evaluate(
        "[...document.querySelectorAll('figure.chart img')].map((i) => i.clientHeight)"
    )
    assert heights
    assert max(heights) <= 20 * centimetre + 1
    assert page.locator("nav.contents").is_hidden()
    page.close()


def test_the_contents_stay_in_sight_and_lead_somewhere(browser, report: Path) -> None:
    page, _ = opened(browser, report, "phone")
    links = page.locator("nav.contents a").all()
    assert len(links) == 6
    for link in links:
        assert page.locator(str(link.get_attribute("href"))).count() == 1
    page.evaluate("window.scrollTo(0, 3000)")
    top = page.evaluate("document.querySelector('nav.contents').getBoundingClientRect().top")
    assert top == 0
    page.close()
