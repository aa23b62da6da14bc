"""Gathers the pages of the site in build/pages, with links that hold there: GitHub reads the same files. Makes no HTML.

python docs/make_site.py
"""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "build" / "pages"

_LINK = re.compile(r"\[([^\]\n]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def sources() -> dict[str, Path]:
    """Return the files of the site, by their place in it: docs/ as it is, and what its pages link to beside it."""
    docs = ROOT / "docs"
    files = (path for path in docs.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    found = {path.relative_to(docs).as_posix(): path for path in files if path.suffix != ".py"}
    found |= {f"examples/{path.parent.name}.md": path for path in (ROOT / "examples").glob("*/README.md")}
    found |= {f"schemas/{path.name}": path for path in (ROOT / "schemas").glob("*.json")}
    found["benchmarks.md"] = ROOT / "benchmarks" / "README.md"
    return dict(sorted(found.items()))


def gather(into: Path) -> None:
    """Write the files of the site into a folder, which then holds nothing else."""
    shutil.rmtree(into, ignore_errors=True)
    found = sources()
    places = {path: place for place, path in found.items()}
    titles = {place: _title(path) for place, path in found.items() if path.suffix == ".md"}
    for place, path in found.items():
        target = into / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            target.write_text(led(path.read_text(encoding="utf-8"), path, places, titles), encoding="utf-8")
        else:
            shutil.copyfile(path, target)


def led(text: str, page: Path, places: Mapping[Path, str], titles: Mapping[str, str]) -> str:
    """Return a page whose links lead to where the files stand in the site, and name pages by their titles."""
    up = "../" * places[page].count("/")

    def link(found: re.Match[str]) -> str:
        words, target, anchor = found[1], found[2], found[3] or ""
        path = (page.parent / target).resolve()
        if "://" in target or path not in places:
            return found[0]
        told = titles.get(places[path], words) if words == path.name else words
        return f"[{told}]({up}{places[path]}{anchor})"

    parts, end = [], 0
    for fence in _FENCE.finditer(text):
        parts += [_LINK.sub(link, text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, _LINK.sub(link, text[end:])])


def _title(page: Path) -> str:
    with page.open(encoding="utf-8") as lines:
        return next(lines).removeprefix("# ").strip()


if __name__ == "__main__":
    gather(PAGES)
