"""For the site: links that leave docs/ name the file, since the site holds the documents alone."""

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((\.\.?/[^)#]+)(#[^)]*)?\)")


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Turn links to files of the repository outside docs/ into their text and path."""
    here = PurePosixPath("docs", page.file.src_uri).parent

    def named(link: re.Match[str]) -> str:
        path = normpath(here / link.group(2))
        if path.startswith("docs/"):
            return link.group(0)
        if not (Path(config.config_file_path).parent / path).exists():
            raise ValueError(f"{page.file.src_uri} links to {path}, which does not exist")
        text = link.group(1)
        return f"`{path}`" if PurePosixPath(path).name == text else f"{text} (`{path}`)"

    return LINK.sub(named, markdown)
