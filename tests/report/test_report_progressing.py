"""Progress in a log: a silence is broken by how far the apply is, and no thread is left over."""

import threading

from test_report_table import board, change, created, status

from taskspec import events
from taskspec.report import progressing
from taskspec.report.counting import Tally
from taskspec.report.narrating import Narrator
from taskspec.report.progressing import EVERY, Progress
from taskspec.report.text import Paint


def made(write):
    told, clock = board(change("extract", p50=200.0), change("b"))
    narrator = lambda inner: Narrator(inner, Paint(False), Tally())  # noqa: E731
    return Progress(write, told, narrator, Paint(False), clock), clock


def test_a_silence_is_broken_and_a_line_puts_it_off():
    written = []
    view, clock = made(written.append)
    clock.time += 100.0
    assert view.speak() == EVERY
    view.on(events.ApplyStarted(plan="p", changes=2, paid=2))
    view.on(created("extract"))
    view.on(status("extract", "executing"))
    clock.time += EVERY - 1.0
    assert view.speak() == 1.0
    assert len(written) == 1
    clock.time += 1.0
    assert view.speak() == EVERY
    clock.time += 130.0 - EVERY
    view.on(created("b"))
    assert view.speak() == EVERY
    clock.time += EVERY
    view.speak()
    view.on(events.ApplyFinished(seconds=1.0))
    clock.time += 100.0
    view.speak()
    view.close()
    assert written == [
        "  extract: created run r (g1)",
        "  0 of 2 finished, 1 active: extract 30s (~2m50s left + 1 unknown)",
        "  b: created run r (g1)",
        "  0 of 2 finished, 2 active: extract 2m40s, b pending (~40s left + 1 unknown)",
        "",
        "Apply finished in 1.0s: 0 runs started.",
    ]


def test_it_speaks_by_itself_and_ends_with_the_apply(monkeypatch):
    monkeypatch.setattr(progressing, "EVERY", 0.001)
    spoken = threading.Event()
    view, clock = made(lambda line: spoken.set() if "finished" in line else None)
    clock.time += 1.0
    view.on(events.ApplyStarted(plan="p", changes=2, paid=2))
    clock.time += 1.0
    assert spoken.wait(60)
    view.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "progress"]


def test_a_reader_that_is_gone_ends_the_thread_and_nothing_else(monkeypatch):
    monkeypatch.setattr(progressing, "EVERY", 0.001)

    def gone(line):
        raise BrokenPipeError

    view, clock = made(gone)
    view.on(events.ApplyStarted(plan="p", changes=2, paid=2))
    clock.time += 1.0
    view._waiter.join(60)
    assert not view._waiter.is_alive()
    view.close()
