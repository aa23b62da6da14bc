"""A few applies at once on every store; `make soak` has fifty of them, for as long as you like."""

import asyncio

import pytest
from contending import contend
from ledger import BrokenError
from state_servers import KINDS

from taskspec.report.exiting import ExitCode

AT_ONCE, ROUNDS = 8, 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_of_many_applies_at_once_one_writes_at_a_time_and_the_others_name_it(kind):
    tally = asyncio.run(contend(kind, AT_ONCE, ROUNDS))
    assert tally["rounds"] == ROUNDS
    assert tally[ExitCode.OK] + tally[ExitCode.LOCKED] == ROUNDS * AT_ONCE


@pytest.mark.slow
def test_applies_that_take_the_lock_from_whoever_has_it_are_caught():
    with pytest.raises(BrokenError, match=r"two at once|ends with 8|not named"):
        asyncio.run(contend("postgres", AT_ONCE, 1, ruthless=True))
