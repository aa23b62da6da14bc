"""Deadlines of what blocks."""

import threading
from types import SimpleNamespace

import pytest
from patience import PATIENCE

from taskspec.taskapi.drivers import deadlines
from taskspec.taskapi.drivers.deadlines import Deadlines


def test_a_wait_that_takes_too_long_is_ended_once_and_only_that_one():
    watched, ended = Deadlines(), threading.Event()
    with watched.within(10 * PATIENCE, pytest.fail) as slow, watched.within(0.05, ended.set) as quick:
        assert ended.wait(PATIENCE)
        assert (slow.is_over, quick.is_over) == (False, True)
    watched.close()


def test_what_is_over_in_time_is_never_ended(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(deadlines, "time", SimpleNamespace(monotonic=lambda: now[0]))
    watched, ended, later = Deadlines(), [], threading.Event()
    for _ in range(50):
        with watched.within(0.02, lambda: ended.append(1)) as deadline:
            pass
    now[0] = 1.0
    with watched.within(0.0, later.set):
        assert later.wait(PATIENCE)
    assert (ended, deadline.is_over) == ([], False)
    watched.close()


def test_one_thread_watches_all_and_ends_when_nothing_is_left_to_watch(monkeypatch):
    monkeypatch.setattr(deadlines, "IDLE", 0.05)
    watched, ended, over = Deadlines(), threading.Barrier(4), threading.Event()
    with watched.within(10 * PATIENCE, pytest.fail), watched.within(0.02, over.set):
        thread = watched._thread
        assert over.wait(PATIENCE)
        assert watched._thread is thread
    with watched.within(0.0, lambda: None):  # wakes it: nothing is left to watch
        pass
    thread.join(PATIENCE)
    assert not thread.is_alive()
    with watched.within(0.0, ended.abort), pytest.raises(threading.BrokenBarrierError):
        ended.wait(PATIENCE)
    watched.close()
    watched_by = watched._thread
    if watched_by is not None:
        watched_by.join(PATIENCE)
        assert not watched_by.is_alive()
