"""The two protocols that pay twice, put in the place of the real one: whoever looks for crashes has to catch them.

`A`: create first, then record the run. `B`: an intent first, but a list without the run is believed at once. `short`:
the quiet period is shorter than requests are late and lists lag. Nothing of this is in the package.
"""

from contextlib import contextmanager
from dataclasses import replace

from taskspec.apply import sending, settling
from taskspec.apply.recording import Recorder
from taskspec.errors import RefusedError
from taskspec.state.model import Note

PROTOCOLS = ("A", "B", "short")
SHORT = 10.0


@contextmanager
def naive(protocol):
    """Apply by a naive protocol as long as the context lasts; by the real one where there is no name."""
    saved = sending._send, settling.settle, Recorder.record
    if protocol == "A":
        sending._send, Recorder.record = _forgetting(sending._send), _recording_no_intent(Recorder.record)
    elif protocol:
        settling.settle = _believing(settling.settle, -1e6 if protocol == "B" else SHORT)
    try:
        yield
    finally:
        sending._send, settling.settle, Recorder.record = saved


def _recording_no_intent(real):
    """Return a recording for which an intent is nothing to keep."""

    async def record(self, *changes):
        if any(isinstance(change, Note) and change.what == "intended" for change in changes):
            self._remember(changes)
        else:
            await real(self, *changes)

    return record


def _forgetting(real):
    """Return a sending that takes a missing answer for a "no"."""

    async def send(world, change, task, *, fresh):
        before = world.recorder.record_of(change.address)
        try:
            await real(world, change, task, fresh=fresh)
        except sending.UnsettledError as error:
            if before is None:
                del world.recorder.records[change.address]
            else:
                world.recorder.records[change.address] = before
            raise RefusedError(error.message) from error

    return send


def _believing(real, quiet_period):
    """Return a settling with another quiet period, which knows nothing of keys."""

    async def settle(world, change, **said):
        traits = world.connection.traits
        world.connection.traits = replace(traits, quiet_period=quiet_period, honours_idempotency_keys=False)
        try:
            return await real(world, change, **said)
        finally:
            world.connection.traits = traits

    return settle
