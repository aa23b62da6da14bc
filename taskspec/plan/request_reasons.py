"""The reasons that lie in a further attempt asked for by hand: why it is made, or is not. Decides nothing."""

from shlex import quote

from taskspec.address import Address
from taskspec.plan.causes import Reason
from taskspec.plan.reasons import run_of
from taskspec.plan.standing import Situation


def attempt_requested() -> Reason:
    """Say that a further attempt was asked for by hand."""
    return Reason(code="attempt_requested", text="a further attempt was asked for by hand")


def request_needless() -> Reason:
    """Say that an attempt was asked for by hand for what has its accepted result already."""
    return Reason(code="request_needless", text="it has an accepted result, so that no attempt more is started")


def request_undeclared() -> Reason:
    """Say that an attempt was asked for by hand for what nothing declares."""
    text = "the attempt asked for by hand is not started, as nothing says what to ask for"
    return Reason(code="request_undeclared", text=text)


def request_put_off(situation: Situation) -> Reason:
    """Say that an attempt that was asked for by hand has to wait for the current one."""
    named = quote(situation.record.address if situation.record else "")
    text = (
        f"the attempt asked for by hand is put off: {run_of(situation)} has to be accounted for first, or given up "
        f"with `taskspec forget {named}`"
    )
    return Reason(code="request_put_off", text=text)


def text_kept(address: Address, generation: int) -> Reason:
    """Say that the text was asked for before, and how its kept result is taken by hand in the place of a run."""
    which = quote(f"{address}@g{generation}")
    text = f"`taskspec accept {which}` takes the kept result of the same text instead of a paid run"
    return Reason(code="text_kept", text=text)
