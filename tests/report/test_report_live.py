"""The live region: what it shows is text, whatever a task is called and a remote says."""

import io
import threading
import time

import pytest

from taskspec.address import Address
from taskspec.events import ApplyStarted, RunCreated, RunStatusChanged
from taskspec.report import live as live_of
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


def test_a_line_is_written_beside_no_drawing_of_the_region(terminal, monkeypatch):
    """Each erases what the other has drawn: one that begins within the other erases too little."""
    inside = []

    def alone(really):
        def call(*arguments, **options):
            assert set(inside) <= {threading.get_ident()}
            inside.append(threading.get_ident())
            time.sleep(0.001)
            try:
                return really(*arguments, **options)
            finally:
                inside.pop()

        return call

    monkeypatch.setattr(live_of, "TICK", 0.0005)
    live = Live(terminal, lambda write: Narrator(write, Paint(True), Tally()))
    monkeypatch.setattr(live._console, "print", alone(live._console.print))
    monkeypatch.setattr(live._region, "refresh", alone(live._region.refresh))
    for number in range(50):
        live.on(RunCreated(address=Address(f"a{number}"), agent="writer", generation=1, attempt=1, run=f"r{number}"))
    live.close()
    assert "created run r49 (g1)" in terminal.getvalue()
