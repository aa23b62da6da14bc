"""The live region: what it shows is text, whatever a task is called and a remote says."""

import io

import pytest

from taskspec.address import Address
from taskspec.events import ApplyStarted, RunCreated, RunStatusChanged
from taskspec.report.counting import Tally
from taskspec.report.live import Live
from taskspec.report.narrating import Narrator
from taskspec.report.text import Paint


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    return Terminal()


def test_names_and_statuses_are_shown_letter_by_letter(terminal):
    address = Address("report[red]")
    live = Live(terminal, lambda write: Narrator(write, Paint(True), Tally()))
    live.on(ApplyStarted(plan="p", changes=1, paid=1))
    live.on(RunCreated(address=address, agent="writer", generation=1, attempt=1, run="r[/]1:smile:"))
    live.on(RunStatusChanged(address=address, run="r", status="[link=https://evil.test]exe[/link]:fire:\x1b[2J"))
    live._region.refresh()
    live.close()
    shown = terminal.getvalue()
    assert "report[red]" in shown
    assert "created run r[/]1:smile: (g1)" in shown
    assert r"[link=https://evil.test]exe[/link]:fire:\x1b[2J" in shown
    assert "\x1b[2J" not in shown
    assert "\x1b]8" not in shown
