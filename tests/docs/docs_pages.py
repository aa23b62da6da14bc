"""The pages that users read, cut into what tests need: code blocks, tables, links. Runs nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").glob("*/README.md")))

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"(?:#!.*\n)?# ([\w-]+[./][\w./-]+)\n")
_FILES = {"json", "python", "sh", "yaml"}


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block: its language and its text."""

    language: str
    text: str

    @property
    def file(self) -> str | None:
        """Return the file that a block stands for, which its first line names; before it may stand who runs it."""
        found = _NAME.match(self.text)
        return found[1] if found and self.language in _FILES else None


def page(name: str) -> str:
    """Return the text of a page, by its path in the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    for found in _BLOCK.finditer(text):
        yield Block(language=found[1], text=found[2])


def prose(text: str) -> str:
    """Return a page without its fenced blocks."""
    return _BLOCK.sub("", text)


def section(text: str, heading: str) -> str:
    """Return what stands under a heading, up to the next heading of any level."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no heading `{heading}`"
    return found[1]


def rows(text: str) -> list[list[str]]:
    """Return the cells of the tables of a text, without their heads."""
    found = []
    for line in text.splitlines():
        if line.startswith("|"):
            found.append([cell.strip() for cell in line.strip("|").split("|")])
    rules = [index for index, row in enumerate(found) if set("".join(row)) <= set("-: ")]
    heads = {index - 1 for index in rules}
    return [row for index, row in enumerate(found) if index not in heads | set(rules)]


def named(text: str) -> list[str]:
    """Return what stands between single backticks."""
    return re.findall(r"`([^`]+)`", text)
