"""A sample of what `make soak` kills; real processes, a few seconds each. The rest is for `.ci/run`."""

import asyncio

import pytest
from processes import play, soak


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hosted:0", "embedded:0"])
def test_killed_applies_keep_every_promise(name):
    kills, applies = asyncio.run(play(name, meant=2))
    assert applies >= 4
    assert kills <= 2


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["A", "B"])
def test_a_naive_protocol_is_caught_in_real_processes(protocol):
    for seed in range(0, 40, 4):
        if asyncio.run(soak(1, 0, seed, protocol, cores=1)).broken:
            return
    pytest.fail("nothing was found")
