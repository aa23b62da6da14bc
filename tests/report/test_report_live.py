"""The live view on a terminal that is played: lines stay, the region is under them, whatever anybody says."""

import io
import re
import sys
import threading

import pyte
import pytest
from test_report_table import Clock, board, change, created, finished, status

from taskspec import events
from taskspec.address import Address
from taskspec.report import live as live_of
from taskspec.report.counting import Tally
from taskspec.report.live import Live, Screen
from taskspec.report.narrating import Narrator
from taskspec.report.region import Region
from taskspec.report.text import Paint


class Terminal(io.StringIO):
    """What is written to it is played on a screen; its encoding may be an old one."""

    encoding = "utf-8"

    def __init__(self, columns=80, height=24):
        super().__init__()
        self.screen = pyte.HistoryScreen(columns, height, history=1000)
        self.player = pyte.Stream(self.screen)

    def isatty(self):
        return True

    def write(self, text):
        self.player.feed(text.replace("\n", "\r\n"))
        return super().write(text)

    def size(self):
        return self.screen.columns, self.screen.lines

    @property
    def shown(self):
        """All lines, also those that have left the screen at its top."""
        past = ["".join(line[i].data for i in range(self.screen.columns)) for line in self.screen.history.top]
        return "\n".join(line.rstrip() for line in [*past, *self.screen.display]).rstrip()


@pytest.fixture
def still(monkeypatch):
    """No tick ever comes: the test draws."""
    monkeypatch.setattr(live_of, "TICK", 3600.0)


def live_on(terminal, made, color=False):
    screen = Screen(stream=terminal, size=terminal.size, paint=Paint(color))
    return Live(screen, made, lambda write: Narrator(write, Paint(color), Tally()))


def test_the_lines_stay_and_the_table_is_under_them_until_the_end(still, snapshot):
    terminal = Terminal(60, 18)
    made, clock = board(*(change(f"t{number}", p50=4.0) for number in range(12)))
    live = live_on(terminal, made)
    live.on(events.ApplyStarted(plan="p", changes=12, paid=12))
    for number in range(12):
        live.on(created(f"t{number}"))
        live.on(status(f"t{number}", "executing"))
        clock.time += 1.0
    assert terminal.shown == snapshot(name="at work")
    for number in range(12):
        live.on(finished(f"t{number}"))
    live.close()
    assert terminal.shown.splitlines() == [f"  t{number}: created run r (g1)" for number in range(12)]
    assert not terminal.screen.cursor.hidden


def test_what_is_drawn_is_drawn_again_only_where_it_differs(still):
    terminal = Terminal()
    made, clock = board(change("a"))
    live = live_on(terminal, made)
    live.on(created("a"))
    written = len(terminal.getvalue())
    for _ in range(8):
        clock.time += 0.1
        live.draw()
    assert len(terminal.getvalue()) == written
    clock.time += 1.0
    live.draw()
    assert len(terminal.getvalue()) > written
    live.close()


def test_each_drawing_is_one_piece_that_terminals_may_show_at_once(still):
    pieces = []

    class Pieces(Terminal):
        def write(self, text):
            pieces.append(text)
            return super().write(text)

    live = live_on(Pieces(), board(change("a"))[0])
    live.on(created("a"))
    live.close()
    drawn = [piece for piece in pieces if "finished" in piece]
    assert drawn
    assert all(piece.startswith("\x1b[?2026h") and piece.endswith("\x1b[?2026l") for piece in drawn)


def test_a_terminal_that_changes_its_size_gets_a_region_that_fits(still):
    terminal = Terminal(100, 30)
    made, _ = board(*(change(f"a-task-with-a-long-name-{number}") for number in range(20)))
    live = live_on(terminal, made)
    live.on(created("a-task-with-a-long-name-0"))
    for columns, height in [(100, 12), (100, 40), (160, 40)]:
        terminal.screen.resize(height, columns)
        live.draw()
        assert terminal.shown.count("0 of 20 finished") == 1
        assert len(terminal.shown.splitlines()) == 1 + min(12, height // 3)
    live.close()
    assert terminal.shown == "  a-task-with-a-long-name-0: created run r (g1)"


def test_where_a_terminal_has_wrapped_the_region_all_of_it_is_taken_away():
    written = io.StringIO()
    size = (40, 20)
    region = Region(written, lambda: size)
    region.draw(["x" * 39, "y" * 10])
    size = (20, 20)
    before = len(written.getvalue())
    region.draw(["z"])
    assert written.getvalue()[before:].count("\x1b[1A") == 2


def test_a_line_that_is_too_long_is_broken_between_its_words(still):
    terminal = Terminal(40, 12)
    live = live_on(terminal, board(change("a"))[0])
    said = events.RunSaid(address=Address("a"), run="r", kind="answer", text="word " * 12)
    live.on(said)
    live.close()
    assert terminal.shown.splitlines() == [
        "a | word word word word word word word",
        "    word word word word word",
    ]


def test_what_a_remote_and_an_agent_say_cannot_leave_their_place(still):
    terminal = Terminal(120, 30)
    made, _ = board(change("report"))
    live = live_on(terminal, made, color=True)
    evil = "[link=https://evil.test]x[/link]:fire:\x1b[2J\x1b]0;owned\x07\r\n::error::no\u202e\x9b2J\x00"
    live.on(events.RunCreated(address=Address("report"), agent=evil, generation=1, attempt=1, run=evil))
    live.on(events.RunStatusChanged(address=Address("report"), run="r", status=evil))
    live.on(events.RunSaid(address=Address("report"), run="r", kind="answer", text=evil))
    live.on(events.ListeningEnded(address=Address("report"), run="r", detail=evil))
    live.draw()
    live.close()
    rest = re.sub(r"\x1b\[[0-9;]*m|\x1b\[\?(25|2026)[hl]|\x1b\[[0-9]*[AK]|\r(?=\x1b\[2K)", "", terminal.getvalue())
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", rest), rest
    assert "[link=https://evil.test]x[/link]:fire:\\x1b[2J" in rest
    assert not re.search("^\\s*::error::", rest, re.MULTILINE)


def test_a_terminal_of_an_old_encoding_gets_no_sign_that_it_cannot_show(still):
    terminal = Terminal()
    terminal.encoding = "latin-1"
    live = live_on(terminal, board(*(change(f"t{number}", p50=3.0) for number in range(30)))[0])
    live.draw()
    live.close()
    assert terminal.getvalue().isascii()
    assert "... and" in terminal.getvalue()


def test_what_is_written_to_standard_error_meanwhile_goes_above(still, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    live = live_on(terminal, board(change("a"))[0])
    sys.stderr.write("a re")
    sys.stderr.write("mark\nan end")
    assert terminal.shown.splitlines()[0] == "a remark"
    assert "0 of 1 finished" in terminal.shown.splitlines()[1]
    live.close()
    assert sys.stderr is terminal
    assert terminal.shown == "a remark\nan end"


def test_an_end_in_the_middle_leaves_the_terminal_whole(still):
    class Cut(Terminal):
        cuts = False

        def write(self, text):
            if self.cuts and "created" in text:
                raise KeyboardInterrupt
            return super().write(text)

    terminal = Cut()
    live = live_on(terminal, board(change("a"))[0])
    terminal.cuts = True
    with pytest.raises(KeyboardInterrupt):
        live.on(created("a"))
    live.close()
    assert not terminal.screen.cursor.hidden
    assert not [thread for thread in threading.enumerate() if thread.name == "live region"]


def test_a_tick_draws_what_time_alone_has_changed(monkeypatch):
    monkeypatch.setattr(live_of, "TICK", 0.001)
    drawn, frames = threading.Event(), []

    class Waiting(Clock):
        def __call__(self):
            self.time += 1.0
            return self.time

    made, _ = board(change("a"))
    made._now = Waiting()
    terminal = Terminal()
    really = terminal.write

    def write(text):
        frames.append(text)
        if len([frame for frame in frames if "finished" in frame]) > 3:
            drawn.set()
        return really(text)

    terminal.write = write
    live = live_on(terminal, made)
    assert drawn.wait(60)
    live.close()
