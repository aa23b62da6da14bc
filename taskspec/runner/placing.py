"""Placing: whether a run is on the remote that is connected, in words where it is not. Asks nobody."""

from shlex import quote

from taskspec.address import Address
from taskspec.state.model import Attempt
from taskspec.taskapi.remotes import RemoteIdentity


def elsewhere(address: Address, attempt: Attempt, here: RemoteIdentity) -> str:
    """Return why the run of an attempt is not to be asked for here; the empty text where it is here.

    Without an instance (nobody is connected yet), an embedded engine passes for the one that it may be.
    """
    remote, named = attempt.remote, quote(address)
    if not remote.same_remote(here):
        return (
            f"run {attempt.run} was started on another remote: go back to that one until it has ended, or "
            f"`taskspec forget {named}` gives it up"
        )
    if here.instance is None or remote == here:
        return ""
    return (
        f"run {attempt.run} was started on an engine whose data folder is not here: a command on its machine follows "
        f"it, `taskspec retry {named}` starts another run, or `taskspec forget {named}` gives it up"
    )
