"""A sample of what `make crash` kills, in real processes, and the controls that must be caught."""

import asyncio
from random import Random

import pytest
from fates import Fate
from processes import play
from shared_worlds import world

TAKEN_LATE = Fate(60.0, None)
"""The remote has the request, and carries it out in a minute: longer than the naive are patient."""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hosted:0", "embedded:0", "s3:0", "crashing:0"])
def test_a_killed_apply_keeps_every_promise(name):
    kills, applies = asyncio.run(play(name, meant=1))
    assert applies >= 3
    assert kills <= 1


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["A", "B"])
def test_a_naive_protocol_is_caught(protocol, tmp_path):
    async def killed_once():
        async with world("hosted", tmp_path / "sales", Random(0), protocol) as made:
            made.remote.rate = 0.0
            await made.settle_down()
            made.edit()
            made.remote.deadly = [TAKEN_LATE]
            await made.apply()
            await made.apply()
            return made.kills, made.remote.broken

    kills, broken = asyncio.run(killed_once())
    assert kills == 1
    assert len(broken) == 1
    assert "is paid for by each of" in broken[0]
