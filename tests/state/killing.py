"""Kills the writers of a state, again and again, and says after each what must be there. Forks nothing itself."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from dying_writers import content_of
from state_servers import open_at
from state_values import BOB, EXTRACT, chained_document, document_of, record, ref

from taskspec.state.chaining import follow

EARLY = 0.2
"""How many of the writers are killed at any moment after they began, perhaps before they have the lock."""
LIFE = 0.06
"""Seconds that a writer has at most."""
GENERATION = 8
"""How many writers one state sees."""


class Slayer:
    """A process that forks writers, and kills them when it is told to."""

    def __init__(self, folder):
        self._said = folder / "said"
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("dying_writers.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )

    def slay(self, place, folder, writer, after, since):
        """Let one writer live for some time; return the serials that it was told are durable."""
        order = {"place": place, "folder": str(folder), "writer": writer, "after": after, "from": since}
        self._process.stdin.write(json.dumps({**order, "said": str(self._said)}) + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "killed\n"
        text = self._said.read_text()
        self._said.unlink()
        assert "Traceback" not in text, text
        return [int(line) for line in text.split()]

    def end(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@contextmanager
def slaying(folder):
    slayer = Slayer(folder)
    try:
        yield slayer
    finally:
        slayer.end()


def killed_again_and_again(slayer, place, folder, writer, chance, kills):
    """Kill so many writers of one state; after each, hold what is there against what it was told."""
    known = 0
    for _ in range(kills):
        since = "begun" if chance.random() < EARLY else "said"
        said = slayer.slay(place, folder, writer, chance.uniform(0, LIFE), since)
        assert since == "begun" or said, "a writer wrote nothing"
        fence_off(place, folder)
        known = checked(place, folder, writer, max([known, *said]))
    return known


def fence_off(place, folder):
    """Take the lock from a dead holder, so that nothing that it has sent can still happen."""
    store = open_at(place, folder)
    try:
        holding = store.holding()
        if holding is not None:
            store.force_release(holding.epoch, BOB)
    finally:
        store.close()


def checked(place, folder, writer, known):
    """Hold a state against what is known to be durable; return its serial."""
    reader = open_at(place, folder, read_only=True)
    try:
        serial = reader.read().serial
        assert known <= serial <= known + 1, f"{known} was said to be durable, and the state is at {serial}"
        if serial and writer == "replaces":
            assert document_of(reader) == chained_document(serial)
        elif serial:
            holds_every_commit(reader, serial)
        return serial
    finally:
        reader.close()


def holds_every_commit(reader, serial):
    assert reader.read().records == {EXTRACT: record(number=serial)}
    told = list(reader.history())
    assert [entry.serial for entry in told] == list(range(serial, 0, -1))
    assert follow(told, reader.read().lineage).head == reader.head()
    for last in range(max(1, serial - 8), serial + 1):
        assert reader.result(ref(content_of(last))) == content_of(last)
