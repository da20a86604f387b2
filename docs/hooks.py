"""For the site: pages of models and of published results, and links that lead out of docs/.

A published table is shown at its path in the repository, so that links to it mean the same in both.
A link to any other file of the repository leads there if the site knows where the repository is
(`repo_url`), and names the file otherwise.
"""

import json
from pathlib import Path
from posixpath import dirname, join, normpath, relpath
from typing import Any
from urllib.parse import urldefrag
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor
from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = "results/published"
INDEX = f"{PUBLISHED}/index.md"
SECTION = "Published results"


def on_config(config: Any) -> None:
    """Fill the sections of the navigation that list models and published suites."""
    links = Links(config)
    config.markdown_extensions.append(links)
    config.extra["repository_links"] = links
    models = sorted(f"families/{path.name}" for path in (ROOT / "docs" / "families").glob("*.md"))
    published = [{name: f"{PUBLISHED}/{name}/table.md"} for name in suites()]
    filled = {
        "Models": sorted(models, key=lambda page: page != "families/index.md"),
        SECTION: [INDEX, *published],
    }
    for item in config.nav:
        for title in filled.keys() & item.keys():
            item[title] = filled[title]


def on_files(files: Any, config: Any) -> None:
    """Add every published table with its pictures, and a page that lists the tables."""
    lines = [
        f"# {SECTION}",
        "",
        "One page per suite: answer, tables, pictures, and the origin of every number.",
        "",
    ]
    for name in suites():
        folder = ROOT / PUBLISHED / name
        for path in [folder / "table.md", *folder.glob("*.png")]:
            uri = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, uri, abs_src_path=str(path)))
        question = json.loads((folder / "report.json").read_text())["question"]
        lines.append(f"- [{name}]({name}/table.md): {question}")
    files.append(File.generated(config, INDEX, content="\n".join(lines) + "\n"))


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> None:
    """Tell the links which page they stand on."""
    config.extra["repository_links"].stand_on(page.file.src_uri, files)


def suites() -> list[str]:
    """Return the names of the published suites."""
    return sorted(path.parent.name for path in (ROOT / PUBLISHED).glob("*/table.md"))


class Links(Extension):
    """Leads links of a page of docs/ to what they mean in the repository."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.repository = (config.repo_url or "").rstrip("/")

    def stand_on(self, uri: str, files: Any) -> None:
        """Take the page that is converted next, and the files of the site."""
        self.uri, self.files = uri, files

    def extendMarkdown(self, md: Markdown) -> None:
        """Work before mkdocs checks the links (it has priority 0)."""
        md.treeprocessors.register(Leads(self), "repository_links", 1)


class Leads(Treeprocessor):
    """Changes the links of one page."""

    def __init__(self, links: Links) -> None:
        self.links = links

    def run(self, root: Element) -> None:
        """Change every link and picture that leaves docs/."""
        for element in root.iter():
            for key in {"href", "src"}.intersection(element.keys()):
                self.lead(element, key)

    def lead(self, element: Element, key: str) -> None:
        """Change one link, if it leaves docs/.

        Raises:
            ValueError: it leads to no file of the repository.

        """
        target, anchor = urldefrag(element.get(key) or "")
        here = dirname(self.links.uri)
        base = here if here.startswith(PUBLISHED) else join("docs", here)
        path = normpath(join(base, target))
        if not target or ":" in target or path.startswith("docs/"):
            return
        if not (ROOT / path).exists():
            raise ValueError(f"{self.links.uri} links to {path}, which does not exist")
        if self.links.files.get_file_from_path(path) is not None:
            element.set(key, relpath(path, here or ".") + (f"#{anchor}" if anchor else ""))
        elif self.links.repository:
            element.set(key, f"{self.links.repository}/blob/main/{path}")
        else:
            _name(element, path)


def _name(element: Element, path: str) -> None:
    """Turn a link into its text and the file's path."""
    said = "".join(element.itertext())
    element.tag, element.attrib = "span", {}
    if said != path:
        (SubElement(element, "code")).text = path
        if len(element) > 1:
            element[-2].tail = (element[-2].tail or "") + " "
        else:
            element.text = f"{element.text or ''} "
