"""Deadlines of what blocks."""

import threading
import time

import pytest

from taskspec.taskapi.drivers import deadlines
from taskspec.taskapi.drivers.deadlines import Deadlines


def test_a_wait_that_takes_too_long_is_ended_once_and_only_that_one():
    watched, ended = Deadlines(), threading.Event()
    with watched.within(5.0, pytest.fail) as slow, watched.within(0.05, ended.set) as quick:
        assert ended.wait(2)
        assert (slow.is_over, quick.is_over) == (False, True)
    watched.close()


def test_what_is_over_in_time_is_never_ended():
    watched, ended = Deadlines(), []
    for _ in range(50):
        with watched.within(0.02, lambda: ended.append(1)) as deadline:
            pass
    time.sleep(0.06)
    assert (ended, deadline.is_over) == ([], False)
    watched.close()


def test_one_thread_watches_all_and_ends_when_nothing_is_left_to_watch(monkeypatch):
    monkeypatch.setattr(deadlines, "IDLE", 0.05)
    watched, ended = Deadlines(), threading.Barrier(4)
    with watched.within(0.02, lambda: None), watched.within(0.02, lambda: None):
        thread = watched._thread
        time.sleep(0.05)
        assert watched._thread is thread
    thread.join(2)
    assert not thread.is_alive()
    with watched.within(0.0, ended.abort), pytest.raises(threading.BrokenBarrierError):
        ended.wait(2)
    watched.close()
    watched_by = watched._thread
    if watched_by is not None:
        watched_by.join(2)
        assert not watched_by.is_alive()
