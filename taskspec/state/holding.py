"""Who holds a lock, in words and for machines: every error that a held lock leads to. Looks at no lock."""

from typing import Any

from taskspec.errors import LockHeldError, LostLeaseError, StaleError, StateError
from taskspec.moments import utc
from taskspec.settings import DEFAULT_ENVIRONMENT
from taskspec.state.model import BEATS, Holder, Holding


def held(environment: str, holding: Holding | None) -> LockHeldError:
    """Return the error for a lock that somebody has; `holding` is None where they have let go of it meanwhile."""
    where = f"The state of environment `{environment}` is locked by"
    if holding is None or holding.holder is None:
        return LockHeldError(f"{where} another command, which has not yet said more.", hint=_WAIT)
    holder = holding.holder
    since = utc(holder.since)
    job = f" ({holder.job})" if holder.job else ""
    return LockHeldError(
        f"{where} {holder.user} on {holder.host} since {since}: process {holder.pid}, `{holder.command}`{job}. "
        f"{sign_of_life(holding)}",
        hint=_way_out(environment, holding, holder),
        lock=as_json(holding),
    )


def cut_off(environment: str, holding: Holding | None) -> StateError:
    """Return the error for a lock that cannot be taken away, because its holder stands still within a write."""
    process = str(holding.holder.pid) if holding is not None and holding.holder is not None else "PID"
    return StateError(
        f"The lock of environment `{environment}` cannot be taken from its holder, which is in the middle of a write.",
        hint=f"`kill -CONT {process}` lets it finish; `kill -KILL {process}` ends it, and undoes what it was writing: "
        "the lock is then free at once, by itself.",
    )


def lost(environment: str, by: Holder | None, otherwise: str) -> LostLeaseError:
    """Return the error for a lease that is no longer held: `by` has it now; `otherwise` says how, where nobody has."""
    if by is None:
        how, then = otherwise, "See what goes on there, then run the command again."
    else:
        how = f"{by.user} on {by.host} took it over (process {by.pid}, `{by.command}`)"
        then = "Whoever has the lock goes on with what was begun; `taskspec status` shows how it stands."
    return LostLeaseError(
        f"The lock of environment `{environment}` was lost: {how}.", hint=f"Nothing more is written. {then}"
    )


def moved_on(environment: str, recorded: int, serial: int) -> StaleError:
    """Return the error for a state that is not at the serial that its writer has read."""
    return StaleError(
        f"The state of environment `{environment}` moved on: it is at serial {recorded}, not {serial}.",
        hint="Plan again.",
    )


def sign_of_life(holding: Holding) -> str:
    """Return the epoch of a lease and how its holder is, in a sentence."""
    epoch = f"Epoch {holding.epoch}, last" if holding.epoch else "Last"
    text = f"{epoch} heartbeat {holding.silent:.0f} s ago"
    if holding.suspended:
        return f"{text}: the process is suspended."
    if not holding.is_alive:
        return f"{text}, though one is due every {holding.ttl / BEATS:.0f} s: the process may be suspended."
    return f"{text}."


def as_json(holding: Holding) -> dict[str, Any]:
    """Return how a lock is held, for machines."""
    holder = holding.holder
    who = {name: getattr(holder, name) for name in ("user", "host", "pid", "command", "since")} if holder else {}
    return {
        "epoch": holding.epoch,
        **who,
        "job": holder.job if holder else None,
        "silentSeconds": round(holding.silent, 1),
        "expiresInSeconds": round(holding.expires, 1),
        "suspended": holding.suspended,
    }


_WAIT = (
    "Wait until that command ends (`--lock-timeout 10m` waits), or end it: `taskspec cancel`, on its machine. The lock "
    "is then free at once, by itself."
)
_WAIT_AT_MOST = (
    "Wait until that command ends (`--lock-timeout 10m` waits), or end it: `taskspec cancel`, on its machine. If it is "
    "not there any more, the lock ends by itself {:.0f} s after its last heartbeat."
)


def _way_out(environment: str, holding: Holding, holder: Holder) -> str:
    if holding.lapses and not holding.suspended:
        return _WAIT_AT_MOST.format(holding.ttl)
    if holding.is_alive:
        return _WAIT
    ends = f"`kill -CONT {holder.pid}` on {holder.host} lets it go on, `kill -KILL {holder.pid}` ends it"
    if not holding.epoch:
        return f"{ends}: the lock is then free at once, by itself."
    return f"{ends}; `{unlocking(environment, holding.epoch)}` takes the lock from it for good."


def unlocking(environment: str, epoch: int) -> str:
    """Return the command that takes a lock from its holder."""
    where = "" if environment == DEFAULT_ENVIRONMENT else f" --env {environment}"
    return f"taskspec force-unlock {epoch}{where}"
