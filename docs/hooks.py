"""The documentation as a site: what lies outside this folder comes along, and links lead to it.

MkDocs calls the functions here (``hooks`` of mkdocs.yml). The README is the first page and that of
the results the one of the formats; files of the repository that pages link to are in the site as
they are. So pages link to files, as people see them in the repository, and the site's own check
finds what is dead.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
DOCS = Path("docs")
PAGES = {Path("README.md"): "index.md", Path("results/README.md"): "formats.md"}
"""Pages outside of docs, and what they are called in the site."""
ELSEWHERE = "files"
LINK = re.compile(r"(?<=\]\()([^)#\s]+)(#[^)\s]*)?(?=\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Bring along what lies outside of docs."""
    for path, name in PAGES.items():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / path)))
    sources = [source(file.src_uri) for file in files if file.src_uri.endswith(".md")]
    linked = {path for page in sources for path in _linked(page)}
    for path in sorted(linked):
        if (ROOT / path).is_file() and not path.is_relative_to(DOCS) and path not in PAGES:
            name = f"{ELSEWHERE}/{path.as_posix()}"
            files.append(File.generated(config, name, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links lead to where their files are in the site."""
    here = source(page.file.src_uri)

    def led(match: re.Match) -> str:
        if "://" in match[1]:
            return match[0]
        target = uri(_resolved(here, match[1]))
        return os.path.relpath(target, Path(page.file.src_uri).parent) + (match[2] or "")

    return LINK.sub(led, markdown)


def source(name: str) -> Path:
    """File of the repository that a page of the site is."""
    outside = {uri: path for path, uri in PAGES.items()}
    return outside.get(name, DOCS / name)


def uri(path: Path) -> str:
    """What a file of the repository is called in the site."""
    if path in PAGES:
        return PAGES[path]
    if path.is_relative_to(DOCS):
        return path.relative_to(DOCS).as_posix()
    return f"{ELSEWHERE}/{path.as_posix()}"


def _linked(page: Path) -> Iterator[Path]:
    """Files that a page links to, by their paths in the repository."""
    for match in LINK.finditer((ROOT / page).read_text()):
        if "://" not in match[1]:
            yield _resolved(page, match[1])


def _resolved(page: Path, link: str) -> Path:
    return Path(os.path.normpath(page.parent / link))
