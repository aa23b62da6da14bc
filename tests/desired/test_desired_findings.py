"""Findings: each once, and naming a cell where only some have it."""

import pytest

from taskspec.address import Address
from taskspec.desired.findings import Findings
from taskspec.diagnostics import Diagnostic, Position

WRONG = Diagnostic(summary="Wrong", detail="It is wrong.", position=Position(file="f"))
CELLS = [Address("a[1]"), Address("a[2]"), Address("a[3]")]


def noted(*cells: str) -> Findings:
    findings = Findings()
    for cell in cells:
        findings.cell = Address(cell)
        findings.note([WRONG])
    return findings


@pytest.mark.parametrize(
    ("cells", "detail"),
    [
        (["a[1]", "a[2]", "a[3]"], "It is wrong."),
        (["a[2]"], "It is wrong. This is so in `a[2]`."),
        (["a[3]", "a[2]", "a[2]"], "It is wrong. This is so in `a[2]` and 1 more."),
    ],
)
def test_what_only_some_cells_have_names_one_of_them(cells: list[str], detail: str) -> None:
    (found,) = noted(*cells).all(CELLS)
    assert found.detail == detail


def test_what_is_no_matter_of_cells_names_none() -> None:
    findings = Findings()
    findings.note([WRONG, WRONG])
    assert findings.all(CELLS) == (WRONG,)


def test_what_was_taken_is_forgotten() -> None:
    findings = noted("a[1]")
    assert (findings.take(0), len(findings)) == ([WRONG], 0)
