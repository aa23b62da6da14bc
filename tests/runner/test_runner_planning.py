"""The story of plan: the remote is asked where, and only where, the answer depends on it."""

from dataclasses import replace

from taskspec.plan.model import Action
from taskspec.runner.model import Refresh
from taskspec.runner.planning import plan


def _planned(ports, refresh):
    return plan(replace(ports.invocation(), refresh=refresh), ports)


def test_a_full_refresh_finds_the_run_of_an_intent_by_its_marker(ports):
    ports.task()
    ports.remote.sends = ["drop"]
    ports.apply(hold_unknown=True)
    found = _planned(ports, Refresh.FULL).changes[0]
    assert found.action is Action.SETTLE
    assert [reason.code for reason in found.reasons] == ["outcome_unknown", "run_found"]
    assert found.run == "run-1"


def test_without_a_full_refresh_an_intent_alone_asks_the_remote_nothing(ports):
    ports.task()
    ports.remote.sends = ["drop"]
    ports.apply(hold_unknown=True)
    ports.needs.clear()
    found = _planned(ports, Refresh.ACTIVE).changes[0]
    assert found.action is Action.SETTLE
    assert [reason.code for reason in found.reasons] == ["outcome_unknown"]
    assert ports.needs == []
