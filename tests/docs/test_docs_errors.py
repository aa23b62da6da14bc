"""docs/errors.md quotes what the program really says, and has every exit code."""

import ast
import re
from collections.abc import Iterator

import pytest
from docs_pages import ROOT, page, rows

from taskspec.report.exiting import ExitCode

PAGE = page("docs/errors.md")
SHORTEST = 8
"""What stands between two `…` is found by chance where it is shorter than all of this."""


def _messages() -> list[str]:
    return [re.sub(r"^(`+) ?(.*?) ?\1$", r"\2", row[0]) for row in rows(PAGE)]


def _literals() -> Iterator[str]:
    """Yield every text of the program; what is put into it is `…`."""
    for path in (ROOT / "taskspec").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def _said() -> str:
    broken = (path.read_text("utf-8") for path in sorted((ROOT / "tests" / "broken").glob("*/expected.txt")))
    return "\n".join([*_literals(), *broken])


@pytest.fixture(scope="module")
def said():
    return _said()


def _is_said(message: str, said: str) -> bool:
    parts = [re.escape(part.strip()) for part in message.split("…") if part.strip(" `.:,()")]
    return re.search(r"[^\n]{0,200}".join(parts), said) is not None


def test_every_message_is_one_that_the_program_says(said):
    messages = _messages()
    assert len(messages) > 40
    assert [message for message in messages if not _is_said(message, said)] == []


def test_every_message_has_words_enough_to_be_known_by():
    assert [text for text in _messages() if max(len(part.strip()) for part in text.split("…")) < SHORTEST] == []


def test_a_message_that_nobody_says_is_found(said):
    assert not _is_said("the moon is in the way of …", said)
    assert not _is_said("the key of the remote is missing: the telephone …", said)


def test_every_exit_code_is_there():
    headings = " ".join(re.findall(r"^## (.+)$", PAGE, re.MULTILINE))
    cells = " ".join(" ".join(row) for row in rows(PAGE))
    named = {int(code) for code in re.findall(r"\b\d+\b", f"{headings} {cells}")}
    assert {int(code) for code in ExitCode} - {0} <= named
