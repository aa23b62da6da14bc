"""Findings in words: the line at their place is quoted, unless it may hold a secret."""

from pathlib import Path

from taskspec.diagnostics import Diagnostic, Position
from taskspec.report.findings import lines
from taskspec.report.text import Paint


def told(root, **more):
    finding = Diagnostic(summary="Wrong value", detail="It is wrong.", position=Position(file="v.env", line=2), **more)
    return "\n".join(lines([finding], Paint(color=False), root))


def test_the_line_of_a_finding_is_quoted(tmp_path: Path):
    (tmp_path / "v.env").write_text("a=1\ntoken=canary\n", encoding="utf-8")
    assert "    2 | token=canary\n" in told(tmp_path)


def test_a_line_that_may_hold_a_secret_is_not(tmp_path: Path):
    (tmp_path / "v.env").write_text("a=1\ntoken=canary\n", encoding="utf-8")
    text = told(tmp_path, quotable=False)
    assert text == "v.env:2:1: error: Wrong value\n    It is wrong.\n\n1 error."
