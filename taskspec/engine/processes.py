"""The process trees of agents: finding every member, also one that left its group, and ending them. Starts none."""

import asyncio
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from taskspec.engine.model import RUN_ID_VARIABLE

if TYPE_CHECKING:
    import psutil

GRACE = 3.0
"""Seconds between asking a tree to end and ending it."""
_KILL_WAIT = 2.0
_TICK = 0.02
_SAME_START = 1.0
"""A process is the recorded one if it started within so many seconds of the recorded time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tree:
    """A run's processes: by the run id in their environment, and by the first process where it is known.

    `leads_group`: the first process was started by us just now, so its process group cannot be a stranger's,
    even after the first process has gone.
    """

    run: str
    pid: int | None = None
    started: float | None = None
    leads_group: bool = False


def started_at(pid: int) -> float | None:
    """Return when a process started, in seconds since the epoch; None if it has gone."""
    import psutil

    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def group_exists(pid: int) -> bool:
    """Tell whether any process is left in the group that a process of ours led."""
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def end_trees(trees: Collection[Tree], grace: float = GRACE) -> None:
    """End every process of the trees: ask, wait for `grace` seconds, then kill; return when they have gone."""
    members = await asyncio.to_thread(_members, trees)
    for process in members:
        _signal(process, kill=False)
    await _gone(members, grace)
    members = await asyncio.to_thread(_members, trees)
    for process in members:
        _signal(process, kill=True)
    await _gone(members, _KILL_WAIT)


async def _gone(members: Iterable["psutil.Process"], seconds: float) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    left = [process for process in members if _lives(process)]
    while left and loop.time() < deadline:
        await asyncio.sleep(_TICK)
        left = [process for process in left if _lives(process)]


def _lives(process: "psutil.Process") -> bool:
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _signal(process: "psutil.Process", *, kill: bool) -> None:
    import psutil

    try:
        if kill:
            process.kill()
        else:
            process.terminate()
    except psutil.Error:
        return


def _members(trees: Collection[Tree]) -> list["psutil.Process"]:
    """Return the living processes of the trees, in one pass over all processes."""
    import psutil

    everyone = {process.pid: process for process in psutil.process_iter() if process.pid != os.getpid()}
    runs = {tree.run for tree in trees}
    groups = _groups(trees, everyone)
    found = {pid for pid, process in everyone.items() if _group(pid) in groups or _run_of(process) in runs}
    children: dict[int, list[int]] = {}
    for pid, process in everyone.items():
        children.setdefault(_parent(process), []).append(pid)
    unseen = list(found)
    while unseen:
        new = [pid for pid in children.get(unseen.pop(), []) if pid not in found]
        found.update(new)
        unseen.extend(new)
    return [everyone[pid] for pid in found if _lives(everyone[pid])]


def _groups(trees: Collection[Tree], everyone: Mapping[int, "psutil.Process"]) -> set[int]:
    return {
        tree.pid
        for tree in trees
        if tree.pid is not None and (tree.leads_group or _is_the_same(everyone.get(tree.pid), tree.started))
    }


def _is_the_same(process: "psutil.Process | None", started: float | None) -> bool:
    import psutil

    if process is None or started is None:
        return False
    try:
        return abs(process.create_time() - started) < _SAME_START
    except psutil.Error:
        return False


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def _run_of(process: "psutil.Process") -> str | None:
    import psutil

    try:
        return process.environ().get(RUN_ID_VARIABLE)
    except (psutil.Error, OSError):
        return None


def _parent(process: "psutil.Process") -> int:
    import psutil

    try:
        return process.ppid()
    except psutil.Error:
        return 0
