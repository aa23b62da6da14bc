"""What a PATCH changes, sparse or as a whole object, of a client that read the task at some time."""

import pytest

from taskspec.engine import changing, saving
from taskspec.engine.changing import Ending, Run
from taskspec.engine.model import RefusalError, Status, Turn

EARLY, NOON, LATE = (f"2026-01-01T{hour}:00:00Z" for hour in ("08", "12", "18"))


@pytest.fixture
def waiting():
    return changing.created("r1", "a", {"input": {"text": "x"}}, EARLY)


@pytest.fixture
def executing(waiting):
    return changing.begun(waiting, EARLY)


@pytest.fixture
def ended(executing):
    tokens = {"prompt_tokens": 1, "completion_tokens": 2, "cache_read_tokens": 0, "cache_write_tokens": 0}
    return changing.ended(executing, Ending(status=Status.COMPLETED, result="answer", tokens=tokens), NOON)


def patched(run, body):
    return changing.patched(run, saving.asked_of(run, body), LATE)


def test_an_object_that_was_read_before_the_end_does_not_undo_it(waiting, executing, ended):
    for read in (waiting, executing):
        after = patched(ended, {**read.task, "title": "new"}).task
        assert after == {**ended.task, "title": "new"}


def test_an_object_that_was_read_after_the_end_may_begin_again(ended):
    after = patched(ended, {**ended.task, "status": "executing"}).task
    assert (after["status"], after["finished_at"], after["result"]) == ("executing", None, "answer")
    same_time = {**ended.task, "status": "paused", "finished_at": "2026-01-01T13:00:00+01:00"}
    assert patched(ended, same_time).task["status"] == "paused"


def test_another_ending_is_meant_whenever_it_was_read(waiting, ended):
    after = patched(ended, {**waiting.task, "status": "failed", "result": "no"}).task
    assert (after["status"], after["result"]) == ("failed", "no")


def test_an_object_that_was_read_before_the_beginning_can_be_saved(waiting, executing):
    after = patched(executing, {**waiting.task, "title": "new"})
    assert (after.turn, after.task["status"], after.task["title"]) == (Turn.HELD, "executing", "new")
    for status in ("completed", "paused"):
        with pytest.raises(RefusalError):
            patched(executing, {**waiting.task, "status": status})


@pytest.mark.parametrize(("key", "empty"), [("result", None), ("tokens", None), ("duration", 0.0), ("used_tools", [])])
def test_a_whole_object_does_not_wipe_what_was_found_out(ended, key, empty):
    before = Run(task={**ended.task, "used_tools": ["search"], "duration": 2.5}, turn=ended.turn)
    assert patched(before, {**before.task, key: empty}).task == before.task
    assert patched(before, {key: empty}).task[key] == empty


def test_a_whole_object_clears_what_is_its_clients(ended):
    before = Run(task={**ended.task, "title": "old", "internal_status": "seen"}, turn=ended.turn)
    after = patched(before, {**before.task, "title": None, "internal_status": None}).task
    assert (after["title"], after["internal_status"]) == (None, None)


def test_an_object_of_an_earlier_turn_says_nothing_of_the_present_one(ended):
    later = changing.continued(ended, "a", {"input": {"text": "y"}}, LATE)
    after = patched(later, {**ended.task, "title": "new"})
    assert after.task == {**later.task, "title": "new"}
    assert after.turn is Turn.WAITING


def test_an_earlier_turn_is_not_begun_any_more(waiting, ended):
    later = changing.continued(ended, "a", {"input": {"text": "y"}}, LATE)
    with pytest.raises(RefusalError) as refusal:
        saving.asked_of(later, {**waiting.task, "status": "executing"})
    assert refusal.value.status == 409
    assert saving.asked_of(later, {**later.task, "status": "executing"})["status"] == "executing"


def test_a_sparse_object_means_all_that_it_says(ended):
    after = patched(ended, {"status": "executing", "result": None}).task
    assert (after["status"], after["result"]) == ("executing", None)


@pytest.mark.parametrize("junk", [7, "soon", ["x"], {}, None])
def test_times_that_are_none_are_no_trouble(ended, junk):
    later = changing.continued(ended, "a", {"input": {"text": "y"}}, LATE)
    body = {"id": "r1", "status": "executing", "started_at": junk, "finished_at": junk}
    assert patched(ended, body).task["status"] in {"completed", "executing"}
    assert patched(later, body).task["status"] == "executing"
    assert patched(ended, {"id": "r1", "input": junk}).task == ended.task


def test_a_client_saves_what_it_read_right_after_it_asked(engine):
    task = engine.create("echo", "hello")
    engine.until(task["id"])
    after = engine.http.patch(f"/agent-execution/{task['id']}/update", json={**task, "title": "mine"}).json()
    assert (after["status"], after["result"], after["title"]) == ("completed", "hello", "mine")
