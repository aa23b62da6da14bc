"""What a doctor checks of a history: whether each entry follows from the one before it. Reads all of it."""

from taskspec.errors import TaskspecError, UnchainedError
from taskspec.report.checkups import Checkup, doubtful, fine, wrong
from taskspec.runner.model import Invocation, Ports
from taskspec.runner.recounting import verified


def checked_history(invocation: Invocation, ports: Ports) -> Checkup:
    """Return whether a history is whole; one that an older taskspec wrote has no hashes yet."""
    try:
        found = verified(invocation, ports, None)
    except UnchainedError as error:
        return doubtful("history", error.message, error.hint)
    except TaskspecError as error:
        return wrong("history", error.message, error.hint)
    if found.is_intact:
        entries = "1 entry" if found.chain.length == 1 else f"{found.chain.length} entries"
        return fine("history", f"whole: {entries}")
    return wrong("history", "it was changed since it was written", "`taskspec history verify` tells where.")
