"""Sending: the intent is durable before the first byte leaves, and what the answer means is never guessed."""

import hashlib
import json

import pytest
from apply_stages import A, local_file, task

from taskspec.apply import requesting
from taskspec.events import Effect, OutcomeUnknown
from taskspec.state.model import Sending, Verdict
from taskspec.taskapi.endpoints import create_body


def test_the_intent_is_durable_when_the_request_arrives(stage):
    seen = []

    async def look(request):
        seen.append((stage.record().generation.last, request))

    stage.remote.before_answering = look
    stage.apply(task())
    ((intent, request),) = seen
    assert intent.sending is Sending.INTENDED
    assert intent.nonce == request.headers["idempotency-key"]
    assert json.loads(request.body)["title"].endswith(intent.marker)


def test_the_intent_knows_the_exact_bytes_that_are_sent(stage):
    digests = []

    async def look(request):
        digests.append(hashlib.sha256(request.body).hexdigest())

    stage.remote.before_answering = look
    stage.apply(task())
    assert digests == [stage.attempts()[0].body_digest]


def test_the_digest_of_an_intent_is_the_same_whatever_the_secret_is(stage):
    stage.apply(task(userTokens={"pin": "4711"}))
    kept = stage.attempts()[0]
    guessed = [task(title=kept.title, userTokens={"pin": f"{pin}"}) for pin in (4711, 4712)]
    assert {requesting.digest_of(one, kept.marker) for one in guessed} == {kept.body_digest}
    body = create_body(requesting.new_task(guessed[0], kept.marker))
    assert hashlib.sha256(body).hexdigest() != kept.body_digest


def test_what_was_certainly_not_sent_is_sent_again_as_another_intent(stage):
    stage.unsent = 2
    assert stage.apply(task())[A].verdict == "accepted"
    assert [attempt.sending for attempt in stage.attempts()] == [Sending.REFUSED, Sending.REFUSED, Sending.BOUND]
    assert len({attempt.nonce for attempt in stage.attempts()}) == 3
    assert stage.record().generation.number == 1


def test_a_remote_that_is_never_reached_is_given_up_and_counts_no_attempt(stage):
    stage.unsent = 99
    assert stage.apply(task())[A].effect is Effect.FAILED
    assert not any(attempt.counts for attempt in stage.attempts())
    stage.unsent = 0
    assert stage.apply(task())[A].verdict == "accepted"
    assert stage.record().generation.number == 1


def test_a_throttled_create_waits_as_long_as_it_is_asked_to(stage):
    stage.remote.sends, stage.remote.retry_after = [429, "answer"], 20
    before = stage.clock.time
    assert stage.apply(task())[A].verdict == "accepted"
    assert stage.clock.time - before >= 20
    assert [attempt.sending for attempt in stage.attempts()] == [Sending.REFUSED, Sending.BOUND]


@pytest.mark.parametrize("status", [400, 402, 404, 422])
def test_a_refused_create_is_not_repeated_and_counts_no_attempt(stage, status):
    stage.remote.sends = [status]
    assert stage.apply(task())[A].effect is Effect.FAILED
    (attempt,) = stage.attempts()
    assert (attempt.sending, attempt.verdict, attempt.counts) == (Sending.REFUSED, Verdict.ERROR, False)
    assert stage.remote.asked["POST"] == 1


@pytest.mark.parametrize("send", ["drop", "apply-503", "nonsense", "late"])
def test_a_create_without_a_usable_answer_is_found_again_and_never_sent_twice(stage, send):
    stage.remote.sends, stage.remote.lateness = [send], 90.0
    assert stage.apply(task())[A].verdict == "accepted"
    assert stage.remote.asked["POST"] == 1
    assert stage.record().accepted.run == "run-1"
    assert stage.history() == ["intended", "bound", "ended"]


def test_a_create_that_is_not_answered_in_time_is_unknown(stage):
    stage.remote.sends, stage.traits["create_timeout"] = ["hang"], 0.05
    finished = stage.apply(task(), hold_unknown=True)[A]
    assert (finished.effect, finished.verdict) == (Effect.UNKNOWN, "unknown")
    assert stage.attempts()[0].sending is Sending.INTENDED


@pytest.mark.parametrize("send", [408, 409, 500, 502, 503, 504])
def test_a_trouble_of_the_remote_leaves_the_outcome_unknown(stage, send):
    stage.remote.sends = [send]
    assert stage.apply(task(), hold_unknown=True)[A].effect is Effect.UNKNOWN
    assert stage.remote.asked["POST"] == 1


def test_time_that_the_intent_took_is_taken_from_the_time_to_send(stage, monkeypatch):
    stage.clock.tick = 0.1
    stage.remote.sends = ["hang"]
    stage.traits["create_timeout"] = 1.0
    timeouts = []
    from taskspec.taskapi.drivers.pools import Pool

    monkeypatch.setattr(Pool, "exchange", lambda self, request, left: timeouts.append(request.timeout) or never())
    stage.apply(task(), hold_unknown=True)
    assert 0 < timeouts[0] <= 0.9


def test_a_create_whose_time_is_over_before_it_can_be_sent_is_not_sent(stage):
    stage.clock.tick = 45.0
    stage.traits["create_timeout"] = 60.0
    assert stage.apply(task())[A].effect is Effect.FAILED
    assert stage.remote.asked["POST"] == 0


async def never():
    raise TimeoutError


def test_local_files_are_there_before_the_run_is(stage):
    file = local_file(stage.folder, "sales.csv", b"a,b\n1,2\n")
    there = []

    async def look(request):
        there.append(stage.remote.files[file.sha256])

    stage.remote.before_answering = look
    stage.apply(task(files=[file, "https://example.com/fx.csv"]))
    assert there == [b"a,b\n1,2\n"]
    sent = stage.remote.runs["run-1"].body["input"]["files"]
    assert sent == [f"upload:{file.sha256}/sales.csv", "https://example.com/fx.csv"]


def test_a_local_file_that_changed_since_the_plan_starts_nothing(stage):
    file = local_file(stage.folder, "sales.csv", b"a")
    (stage.folder / "sales.csv").write_bytes(b"b")
    finished = stage.apply(task(files=[file]))[A]
    assert finished.effect is Effect.FAILED
    assert "has changed since it was planned" in finished.detail
    assert stage.remote.asked["POST"] == 0
    assert stage.record() is None


def test_an_agent_id_that_no_request_can_carry_leaves_no_open_question(stage):
    assert stage.apply(task(agent="."))[A].effect is Effect.FAILED
    assert stage.attempts()[0].sending is Sending.REFUSED


def test_a_secret_goes_to_the_remote_and_into_no_file(stage):
    stage.apply(task(userTokens={"crm": "canary-secret"}))
    assert stage.remote.runs["run-1"].body["user_tokens"] == {"crm": "canary-secret"}
    kept = [path.read_bytes() for path in stage.folder.rglob("*") if path.is_file()]
    assert not any(b"canary-secret" in content for content in kept)
    assert "canary-secret" not in repr(stage.events)


def test_why_a_run_failed_is_told_without_the_secrets_that_it_was_given(stage):
    stage.remote.scripts["Write."] = [[{"status": "failed", "result": "no such token: Bearer canary-secret!"}]]
    finished = stage.apply(task(userTokens={"crm": "canary-secret"}))[A]
    assert finished.detail == "no such token: Bearer [secret]!"
    assert not any(b"canary-secret" in path.read_bytes() for path in stage.folder.rglob("*") if path.is_file())


def test_a_held_unknown_says_when_it_can_be_decided(stage):
    stage.remote.sends = ["lose"]
    stage.apply(task(), hold_unknown=True)
    stage.apply(task(), hold_unknown=True)
    (unknown,) = stage.told(OutcomeUnknown)
    assert 0 < unknown.seconds <= 180


def test_equal_tasks_give_equal_bytes_under_one_marker():
    one = create_body(requesting.new_task(task(), "[m]"))
    assert one == create_body(requesting.new_task(task(), "[m]"))
