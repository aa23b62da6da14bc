"""Sharing work with other processes: the same comes out, whatever becomes of them."""

import os
import signal
import threading

import pytest

from taskspec.documents import sharing
from taskspec.documents.sharing import share

ITEMS = list(range(101))


@pytest.fixture(autouse=True)
def processes(monkeypatch):
    monkeypatch.setattr(sharing, "FEWEST", 2)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    monkeypatch.setattr(threading, "active_count", lambda: 1)


def squares(items):
    return [item * item for item in items]


def in_another(do):
    """Return work that does something else in every process but this one."""
    here = os.getpid()

    def work(items):
        if os.getpid() != here:
            do()
        return squares(items)

    return work


def test_the_shares_come_together_in_order():
    assert share(squares, ITEMS) == squares(ITEMS)
    assert [share(squares, ITEMS[:few]) for few in range(4)] == [squares(ITEMS[:few]) for few in range(4)]


def test_the_work_is_shared():
    pids = share(lambda items: [os.getpid()] * len(items), ITEMS)
    assert len(set(pids)) == 3
    assert pids[0] == os.getpid()


def fail():
    raise ValueError("never seen")


def die():
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("trouble", [fail, die, lambda: os._exit(3)])
def test_a_share_that_goes_wrong_elsewhere_is_done_here(trouble, capfd):
    assert share(in_another(trouble), ITEMS) == squares(ITEMS)
    assert capfd.readouterr().err == ""


def test_where_no_process_can_be_made_all_is_done_here(monkeypatch):
    def refuse():
        raise OSError

    monkeypatch.setattr(os, "fork", refuse)
    assert share(squares, ITEMS) == squares(ITEMS)


@pytest.mark.parametrize("reason", ["few", "threads", "platform"])
def test_a_second_process_is_made_only_where_it_is_sound_and_worth_it(monkeypatch, reason):
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("a process was made"))
    match reason:
        case "few":
            monkeypatch.setattr(sharing, "FEWEST", 1000)
        case "threads":
            monkeypatch.setattr(threading, "active_count", lambda: 2)
        case _:
            monkeypatch.setattr(sharing.sys, "platform", "darwin")
    assert share(squares, ITEMS) == squares(ITEMS)


def test_an_error_here_leaves_no_process_behind(monkeypatch):
    made = []
    really = os.fork

    def fork():
        pid = really()
        made.append(pid)
        return pid

    monkeypatch.setattr(os, "fork", fork)
    here = os.getpid()

    def work(items):
        if os.getpid() == here:
            raise KeyboardInterrupt
        signal.pause()
        return squares(items)

    with pytest.raises(KeyboardInterrupt):
        share(work, ITEMS)
    assert len(made) == 2
    for pid in made:
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, 0)
