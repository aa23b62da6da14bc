"""An intent of unknown outcome whose upstream has failed since: it is settled, and nothing is started for it."""

import pytest
from apply_stages import A, B, task

from taskspec.events import RunAdopted, RunCreated
from taskspec.health import Health
from taskspec.state.model import Sending

UP, BELOW = task(), task("b", "Then.", upstream=["a"])


@pytest.fixture(params=["lose", "drop"])
def sent(request, stage):
    """The upstream is accepted, the create below it has no answer, and then the upstream changes and fails."""
    stage.traits |= {"quiet_period": 0.0, "create_timeout": 1.0}
    stage.apply(UP)
    stage.remote.sends = [request.param]
    stage.apply(UP, BELOW, hold_unknown=True)
    stage.remote.scripts["Fail."] = [["failed"]]
    stage.selected = frozenset({A})
    stage.apply(task(prompt="Fail."), BELOW)
    stage.selected = None
    stage.clock.time += 1000
    return request.param


@pytest.mark.parametrize("keys", [True, False])
def test_it_is_settled_by_a_look_and_never_by_asking_again(stage, sent, keys):
    stage.remote.honours_keys = keys
    posts = stage.remote.asked["POST"]
    finished = stage.apply(task(prompt="Fail."), BELOW)
    assert (stage.plan.changes[1].action, stage.plan.changes[1].paid) == ("settle", False)
    assert (stage.remote.asked["POST"], stage.told(RunCreated)) == (posts, [])
    if sent == "drop":
        assert [event.run for event in stage.told(RunAdopted)] == ["run-2"]
        assert stage.record(B).generation.last.verdict == "accepted"
    else:
        assert stage.record(B).generation.last.sending is Sending.ABSENT
        assert finished[B].health is Health.UNHEALTHY
    again = stage.apply(task(prompt="Fail."), BELOW)
    assert again[B].action in {"blocked", "none"}
    assert again[A].health is Health.UNHEALTHY


@pytest.mark.parametrize("send", ["lose", "drop"])
def test_it_is_settled_too_where_its_upstream_comes_to_wait_for_a_person(stage, send):
    stage.traits |= {"quiet_period": 0.0, "create_timeout": 1.0}
    stage.apply(UP)
    stage.remote.sends = [send]
    stage.apply(UP, BELOW, hold_unknown=True)
    stage.remote.scripts["Ask."] = [["paused"]]
    stage.clock.time += 1000
    finished = stage.apply(task(prompt="Ask."), BELOW)
    assert finished[A].health is Health.NEEDS_INPUT
    assert [event.address for event in stage.told(RunCreated)] == [A]
    settled = stage.record(B).generation.last
    assert settled.sending is (Sending.BOUND if send == "drop" else Sending.ABSENT)
    assert finished[B].health is (Health.HEALTHY if send == "drop" else Health.UNHEALTHY)
