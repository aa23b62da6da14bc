"""A sample of what `make crash` plays, the seeds that once found something, and the controls that must be caught."""

import pytest
from fates import POSTS, TWICE
from ledger import BrokenError
from naive import PROTOCOLS
from scenarios import play
from sweep import sweep
from worlds import World

from taskspec.report.exiting import ExitCode

FOUND = {
    "seed:1091": "a run of another text, which completed before its stop, took the place of an accepted result",
    "seed:6193": "the same, and what was declared was paid for once more",
    "hands:1184": "`never` was declared while a run for `always` was unknown, and another text was paid for",
    "hands:797": "a run for `always` was unknown, and was asked for once more when `always` was gone",
    "choices:18764": "an apply that was asked to end while it took its leave, after `--wait-timeout`, ended with 0",
    "choices:11977": "a saved plan that had no request of a task gave it a further attempt with an empty one",
    "choices:2472": "a begun plan was taken up again although another apply had taken a policy over",
    "choices:3882": "a queued change started beside a run in error, which went on",
    "choices:61048": "an outcome stayed unknown as long as the task before it waited for a person",
}
"""What each seed found; another way of drawing makes other scenarios of them."""


def test_a_sample_of_seeds_keeps_every_promise():
    done = sweep(150, 1_000_000, every=0, cores=1)
    assert done.broken == []
    assert done.scenarios == 150


@pytest.mark.parametrize("keys", ["plain", "keys"])
@pytest.mark.parametrize("fate", POSTS)
def test_a_create_of_each_fate_is_paid_once_wherever_the_first_apply_is_killed(fate, keys):
    whole = play(f"one:{fate}:{keys}:50")
    for kill in range(1, whole.lengths[0] + 1, 3):
        play(f"one:{fate}:{keys}:50:{kill}:0")


@pytest.mark.parametrize("name", FOUND)
def test_what_a_seed_once_found_is_mended(name):
    play(name)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_naive_protocol_is_caught(protocol):
    done = sweep(150, 0, protocol, every=0, cores=1)
    assert len(done.broken) >= 5
    assert {fault.partition(":")[0] for _, fault in done.broken} == {BrokenError.__name__}


def test_a_broken_promise_is_played_again_step_by_step():
    done = sweep(50, 0, "B", every=0, cores=1)
    name, fault = done.broken[0]
    steps = []
    with pytest.raises(BrokenError) as again:
        play(name, "B", trace=steps)
    assert fault == f"BrokenError: {again.value}"
    assert any("absent" in step for step in steps)


def test_a_seed_is_played_twice_alike():
    first, second = [], []
    play("seed:11", trace=first)
    play("seed:11", trace=second)
    assert first == second


def test_two_runs_that_a_proxy_made_of_one_request_are_told_and_nothing_is_paid_on_top(declared):
    world = World()
    world.faults.posts = ["twice, cut"]
    assert TWICE["twice, cut"].times == 2
    assert world.apply(declared) == ExitCode.UNKNOWN
    assert world.apply(declared) == ExitCode.UNKNOWN
    assert len(world.remote.runs) == 2


@pytest.fixture
def declared():
    from apply_stages import task

    return [task()]
