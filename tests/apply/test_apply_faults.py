"""A state that cannot be written, at every commit of an apply: nothing is started twice, and nothing is lost."""

import pytest
from apply_stages import task

from taskspec.errors import StateError, UnknownCommitError
from taskspec.state.sqlite import SqliteState

PROMPTS = {"a": "Accepted.", "b": "Fails once.", "c": "Unanswered."}
COMMITS = 12
"""More than an apply of these tasks makes, each alone."""


@pytest.fixture
def tasks(stage):
    stage.remote.scripts["Fails once."] = [["failed"], ["completed"]]
    stage.options = {"parallelism": 1}
    return [
        task("a", "Accepted."),
        task("b", "Fails once.", policies={"retry": {"max_attempts": 2, "statuses": frozenset({"failed"})}}),
        task("c", "Unanswered."),
    ]


def failing_at(monkeypatch, number, *, keeps, error):
    """Let one commit of the state fail, after it was kept or before; return whether it came to that."""
    commit, seen = SqliteState.commit, []

    def broken(self, lease, serial, changes):
        seen.append(serial)
        if len(seen) != number:
            return commit(self, lease, serial, changes)
        if keeps:
            commit(self, lease, serial, changes)
        raise error

    monkeypatch.setattr(SqliteState, "commit", broken)
    return lambda: len(seen) >= number


@pytest.mark.parametrize("keys", [True, False], ids=["with keys", "without keys"])
@pytest.mark.parametrize("error", [StateError("the disk is full"), UnknownCommitError("the disk is ill")], ids=type)
@pytest.mark.parametrize("keeps", [True, False], ids=["kept", "lost"])
@pytest.mark.parametrize("number", range(1, COMMITS))
def test_a_commit_that_fails_costs_no_second_run(stage, tasks, monkeypatch, number, keeps, error, keys):
    stage.remote.honours_keys = keys
    stage.remote.sends = ["answer", "answer", "answer", "drop"]
    with monkeypatch.context() as patched:
        reached = failing_at(patched, number, keeps=keeps, error=error)
        try:
            stage.apply(*tasks)
        except StateError as caught:
            assert caught is error  # noqa: PT017  # it may be read back and be none
        assert reached(), "raise no more: every commit was tried"
    known = {record.generation.last.run for record in stage.snapshot().records.values()} - {None}
    stage.apply(*tasks)  # it may meet the create that is not answered, and leave that to the next one
    again = stage.apply(*tasks)
    assert {event.verdict for event in again.values()} == {"accepted"}, again
    assert [len(stage.remote.started(prompt)) for prompt in PROMPTS.values()] == [1, 2, 1]
    assert known <= set(stage.remote.runs)
