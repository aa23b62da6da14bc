"""One run is that of one attempt: an answer that shows the run of another create is no answer."""

from dataclasses import replace

import pytest
from apply_stages import REMOTE, A, B, task

from taskspec.apply.owning import Owners
from taskspec.errors import OutcomeUnknownError
from taskspec.events import Effect, RunAdopted
from taskspec.state.model import Attempt
from taskspec.taskapi.records import TaskRecord

FIRST = Attempt(
    number=1,
    nonce="n1",
    marker="[ts1.lineage.ca978112ca1b.2242e6cb.g1.n1]",
    body_digest="",
    intended_at=0.0,
    send_deadline=60.0,
    remote=REMOTE,
    title="a",
)
SECOND = replace(FIRST, nonce="n2", marker="[ts1.lineage.3e23e8160039.2242e6cb.g1.n2]", title="b")


def run(title=None):
    return TaskRecord(id="run-1", agent_id="writer", status="pending", title=title)


def test_a_create_that_is_answered_with_the_run_of_another_finds_its_own(stage):
    tasks = [task("a"), task("b", "Read.")]
    stage.apply(tasks[0])
    stage.remote.sends = ["another"]
    finished = stage.apply(*tasks)
    assert finished[B].verdict == "accepted"
    assert [told.run for told in stage.told(RunAdopted)] == ["run-2"]
    assert stage.attempts(B)[-1].run == "run-2"
    assert len(stage.remote.runs) == 2


def test_nobody_is_given_the_result_of_another_where_that_cannot_be_found_out_now(stage):
    tasks = [task("a"), task("b", "Read.")]
    stage.apply(tasks[0])
    stage.remote.sends = ["another"]
    finished = stage.apply(*tasks, hold_unknown=True)
    assert finished[B].effect is Effect.UNKNOWN
    assert finished[A].effect is not Effect.UNKNOWN


def test_a_run_that_shows_no_title_is_told_by_its_id():
    owners = Owners()
    owners.claim(run(), FIRST, {})
    owners.claim(run(), FIRST, {})
    with pytest.raises(OutcomeUnknownError, match="another create"):
        owners.claim(run(), SECOND, {})


def test_the_marker_of_another_is_enough():
    with pytest.raises(OutcomeUnknownError, match="another create"):
        Owners().claim(run(f"a {FIRST.marker}"), SECOND, {})


def test_a_title_that_was_cut_says_nothing():
    Owners().claim(run(f"a {FIRST.marker}"[:-9]), SECOND, {})
