"""Following a task over several streams, without any stream."""

import json

import pytest

from taskspec.errors import AuthenticationError, NotFoundError, RateLimitedError, UnreachableError
from taskspec.taskapi.decoding import task_record
from taskspec.taskapi.flow import Patience
from taskspec.taskapi.following import LINGER, LONGEST_PAUSE, TROUBLES, Following, follow
from taskspec.taskapi.messages import Close, Heard, Open, Opened, Pause, Read, Request
from taskspec.taskapi.records import TaskEvent
from taskspec.taskapi.sse import ServerEvent
from taskspec.taskapi.vigils import AGAIN, DEAD

START = 1000.0
FINISH = "2026-01-01T00:10:00Z"
EARLIER = "2026-01-01T00:05:00Z"
PATIENT = Patience(jitter=lambda: 0.5, attempts=1)


def message(kind, data=None, at="2026-01-01T00:00:00Z", task="t1"):
    return ServerEvent(data=json.dumps({"type": kind, "task_id": task, "time": at, "data": data}))


def wire(status, at=FINISH, result=None):
    """Return the task of these tests as the remote tells it."""
    return {"id": "t1", "agent_id": "a1", "status": status, "finished_at": at, "result": result}


def finish(at=FINISH, result=None):
    """Return the event of an end, as `sent` takes it."""
    return ("task_finished", wire("completed", at, result), at)


def sent(*messages):
    """Return the bytes of events, each given as (type, data) and what else `message` takes."""
    return b"".join(f"data: {message(*given).data}\n\n".encode() for given in messages)


class Stage:
    """Plays a flow of following: answers what it asks for from a script, and keeps a clock for its streams."""

    def __init__(self, answer, *script):
        self.answer = answer
        self.script = list(script)
        self.now = START
        self.asked = []
        self.events = []
        self.error = None

    def follow(self):
        steps, told = follow(Following("t1"), PATIENT), None
        try:
            while True:
                step = steps.throw(told) if isinstance(told, Exception) else steps.send(told)
                self.asked.append(step)
                told = self.next(step)
        except StopIteration:
            assert not self.script, "the flow left a part of the script unread"
        except (NotFoundError, AuthenticationError, UnreachableError, RateLimitedError) as error:
            self.error = error
        return [(event.type, event.data if isinstance(event.data, str) else None) for event in self.events]

    def next(self, step):
        match step:
            case TaskEvent():
                self.events.append(step)
                return None
            case Pause() | Close():
                return None
            case Open():
                return self.opened(self.script.pop(0))
            case Read(seconds=seconds):
                return self.heard(self.script.pop(0), seconds)
            case Request():
                return self.read(self.script.pop(0))

    def opened(self, status):
        kind = "text/event-stream" if status == 200 else "application/json"
        return None if status is None else Opened(status=status, content_type=kind, at=self.now)

    def heard(self, news, seconds):
        """Take (seconds until it comes, bytes), "silence", or None for the end of the stream."""
        if news is None:
            return None
        delay, content = (seconds, b"") if news == "silence" else news
        assert delay <= seconds + 0.001, f"the flow waits {seconds} s only"
        self.now += delay
        return Heard(content=content, at=self.now)

    def read(self, found):
        if isinstance(found, Exception):
            return found
        if isinstance(found, int):
            return self.answer(found, {"detail": "no"})
        return self.answer(200, wire(found))

    def kinds(self):
        return [type(step).__name__ for step in self.asked if not isinstance(step, TaskEvent)]

    def waits(self):
        return [round(step.seconds, 3) for step in self.asked if isinstance(step, Read)]


@pytest.fixture
def stage(answer):
    return lambda *script: Stage(answer, *script)


def told(following, *messages):
    following.request()
    return [event.data for event in map(following.accept, messages) if event is not None]


def record(status):
    return task_record({"id": "t1", "agent_id": "a1", "status": status})


def test_what_a_stream_repeats_after_a_reconnect_is_told_once():
    following = Following("t1")
    assert told(following, message("chunk", "a"), message("chunk", "a")) == ["a", "a"]
    assert told(following, message("chunk", "a"), message("chunk", "a"), message("chunk", "a"), message("x", "b")) == [
        "a",
        "b",
    ]


def test_the_end_that_a_stream_tells_is_a_claim_until_something_comes_after_it():
    following = Following("t1")
    assert following.accept(message(*finish())) is following.claim is not None
    assert not following.over
    following.accept(message("chunk", "a"))
    assert following.claim is None


def test_unknown_types_are_kept_and_what_is_no_event_is_left_out():
    following = Following("t1")
    assert following.accept(message("dance")).type == "dance"
    for junk in ("", "{", "[]", '{"type": 3}', "[" * 100_000):
        assert following.accept(ServerEvent(data=junk)) is None


@pytest.mark.parametrize("status", ["completed", "failed", "error", "stopped"])
def test_a_task_that_ended_between_two_streams_is_finished(status):
    following = Following("t1")
    event = following.read(record(status))
    assert (event.type, event.data["status"]) == ("task_finished", status)
    assert following.over


@pytest.mark.parametrize("status", ["pending", "executing", "paused", "hibernating", "unknown"])
def test_a_task_of_any_other_status_is_not_over(status):
    following = Following("t1")
    following.read(record(status))
    assert not following.over


def test_a_remote_that_does_not_stream_is_polled_for_changes():
    following = Following("t1")
    assert not following.opened(404, "application/json")
    assert not following.streams
    seen = [following.read(record(status)) for status in ("pending", "pending", "executing", "completed")]
    assert [event and event.type for event in seen] == ["task_updated", None, "task_updated", "task_finished"]


def test_a_remote_in_trouble_is_asked_for_a_stream_again():
    following = Following("t1")
    assert not following.opened(503, "text/plain")
    assert following.streams
    assert following.opened(200, "text/event-stream; charset=utf-8")


def test_pauses_grow_without_news_and_are_short_after_it():
    following = Following("t1")
    pauses = [following.pause(0.5) for _ in range(12)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE
    following.accept(message("chunk", "news"))
    assert following.pause(0.5) == pauses[0]


def test_the_end_of_another_task_is_not_ours():
    following = Following("t1")
    assert following.accept(message("task_finished", task="t2")).task_id == "t2"
    assert not following.over


def test_a_stream_is_told_as_it_comes_and_left_at_the_end(stage):
    content = sent(("chunk", "a"), finish(), ("chunk", "junk"))
    played = stage(200, (0.0, content[:30]), (1.0, content[30:]), "completed")
    assert played.follow() == [("chunk", "a"), ("task_finished", None)]
    assert played.kinds() == ["Open", "Read", "Read", "Request", "Close"]


def test_an_earlier_end_of_a_task_that_goes_on_is_told_and_ends_nothing(stage):
    replay = sent(("chunk", "1"), finish(EARLIER), ("chunk", "2"), finish(EARLIER, "2"), ("chunk", "3"))
    live = sent(("chunk", "4"), finish())
    played = stage(200, (0.0, replay), "executing", (5.0, live), "completed")
    assert [kind for kind, _ in played.follow()] == [*["chunk", "task_finished"] * 2, "chunk", "chunk", "task_finished"]
    assert played.kinds() == ["Open", "Read", "Request", "Read", "Request", "Close"]


def test_an_earlier_end_of_a_task_that_has_ended_again_is_not_its_end(stage):
    script = [200, (0.0, sent(("chunk", "1"), finish(EARLIER))), "completed"]
    whole = stage(*script, (0.5, sent(("chunk", "2"), finish())))
    assert whole.follow() == [("chunk", "1"), ("task_finished", None), ("chunk", "2"), ("task_finished", None)]
    assert whole.kinds() == ["Open", "Read", "Request", "Read", "Close"]
    for rest in (None, "silence"):
        half = stage(*script, rest)
        assert half.follow() == [("chunk", "1"), ("task_finished", None), ("task_finished", None)]
        assert half.events[-1].data["finished_at"] == FINISH


def test_an_end_that_says_nothing_of_the_task_is_the_end_if_nothing_follows_it(stage):
    bare, chunk = sent(("task_finished", "x")), ("chunk", "a")
    assert stage(200, (0.0, bare), "completed", None).follow() == [("task_finished", "x")]
    assert stage(200, (0.0, bare), "completed", (0.2, sent(chunk)), "silence").follow() == [
        ("task_finished", "x"),
        chunk,
        ("task_finished", None),
    ]


def test_an_end_that_the_status_does_not_know_yet_is_looked_for_again_soon_and_told_once(stage):
    beat = (AGAIN, b":\n\n")
    played = stage(200, (0.0, sent(finish())), "executing", beat, "completed", None)
    assert played.follow() == [("task_finished", None)]
    assert played.now == START + AGAIN
    closed = stage(200, (0.0, sent(finish())), "executing", None, "completed")
    assert closed.follow() == [("task_finished", None)]


def test_an_end_that_stays_denied_is_looked_for_less_and_less(stage):
    beats = [((2.0**n), b":\n\n") for n in range(1, 6)]
    script = [step for beat in beats for step in (beat, "executing")]
    played = stage(200, (0.0, sent(finish(EARLIER))), "executing", *script, (1.0, sent(finish())), "completed")
    assert played.follow() == [("task_finished", None)] * 2


@pytest.mark.parametrize("trouble", [UnreachableError("down"), RateLimitedError("slow")])
def test_an_end_is_believed_where_the_status_cannot_be_read_and_nothing_follows_it(stage, trouble):
    trouble.billing = True
    assert stage(200, (0.0, sent(finish())), trouble, "silence").follow() == [("task_finished", None)]
    more = stage(200, (0.0, sent(finish())), trouble, (0.3, sent(("chunk", "a"))), None, None, "completed")
    assert [kind for kind, _ in more.follow()] == ["task_finished", "chunk", "task_finished"]


def test_an_end_that_was_denied_is_not_believed_later(stage):
    script = [200, (0.0, sent(finish(EARLIER))), "executing", None, UnreachableError("down")]
    played = stage(*script, None, "executing", None, "completed")
    assert played.follow() == [("task_finished", None)] * 2


def test_a_refusal_to_tell_the_status_of_an_end_is_told(stage):
    played = stage(200, (0.0, sent(finish())), 404)
    assert played.follow() == [("task_finished", None)]
    assert type(played.error) is NotFoundError


def test_the_end_of_another_task_in_the_stream_does_not_end_ours(stage):
    other = ("task_finished", "x", FINISH, "t2")
    assert stage(200, (0.0, sent(other)), (0.0, sent(("chunk", "a"), finish())), "completed").follow() == [
        ("task_finished", "x"),
        ("chunk", "a"),
        ("task_finished", None),
    ]


def test_a_broken_stream_is_opened_again_after_a_look_and_nothing_is_told_twice(stage):
    first, second = sent(("chunk", "a")), sent(("chunk", "a"), ("chunk", "b"), finish())
    played = stage(200, (0.0, first), None, "executing", 200, (0.0, second), "completed")
    assert played.follow() == [("chunk", "a"), ("chunk", "b"), ("task_finished", None)]
    assert played.kinds() == ["Open", "Read", "Read", "Close", "Pause", "Request", "Open", "Read", "Request", "Close"]


def test_in_silence_the_status_is_read_at_growing_distances_without_giving_the_stream_up(stage):
    beat = (10.0, b": keep-alive\n\n")
    looks = [beat, "executing", beat, beat, "executing", *[beat] * 4, "executing", *[beat] * 6, "executing"]
    played = stage(200, *looks, (5.0, sent(finish())), "completed")
    assert played.follow() == [("task_finished", None)]
    assert played.kinds().count("Open") == 1


def test_an_event_brings_the_next_look_near_again(stage):
    beat = (10.0, b":\n\n")
    script = [beat, "executing", (4.0, sent(("chunk", "a"))), beat, "executing", (0.0, sent(finish()))]
    assert stage(200, *script, "completed").follow() == [("chunk", "a"), ("task_finished", None)]


def test_a_task_that_ended_in_silence_is_finished(stage):
    played = stage(200, "silence", "completed", "silence")
    assert played.follow() == [("task_finished", None)]
    assert played.events[-1].data["status"] == "completed"
    assert played.waits() == [10.0, LINGER]


def test_the_last_words_of_a_task_that_ended_in_silence_are_still_told(stage):
    last = sent(("chunk", "a"), finish())
    assert stage(200, "silence", "completed", (0.5, last)).follow() == [("chunk", "a"), ("task_finished", None)]
    half = stage(200, "silence", "completed", (0.5, sent(("chunk", "a"))), "silence")
    assert half.follow() == [("chunk", "a"), ("task_finished", None)]
    assert len(half.events) == 2


def test_a_stream_that_talks_on_after_the_end_is_left(stage):
    late = "2026-01-01T00:20:00Z"
    talk = [(5.0, sent(("chunk", f"{n}"))) for n in range(12)]
    after = [(0.4, sent(("chunk", f"late {n}", late))) for n in range(3)]
    played = stage(200, *talk, "completed", *after, "silence")
    told = played.follow()
    assert [kind for kind, _ in told] == ["chunk"] * 15 + ["task_finished"]
    assert played.kinds().count("Open") == 1


def test_a_history_that_is_read_slowly_is_told_to_its_end(stage):
    history = [(0.9, sent(("chunk", f"{n}"))) for n in range(50)]
    told = stage(200, "silence", "completed", *history, "silence").follow()
    assert told == [*[("chunk", f"{n}") for n in range(50)], ("task_finished", None)]


def test_a_busy_stream_does_not_keep_from_looking(stage):
    talk = [(9.0, sent(("chunk", f"{n}"))) for n in range(6)]
    played = stage(200, *talk, (6.0, b""), "completed", None)
    assert played.follow()[-1] == ("task_finished", None)
    assert played.now == START + 60.0


def test_a_stream_without_a_byte_is_given_up(stage):
    played = stage(
        200, "silence", "executing", "silence", "executing", "silence", 200, (0.0, sent(finish())), "completed"
    )
    played.script[6:6] = ["executing"]
    assert played.follow() == [("task_finished", None)]
    assert played.now == START + DEAD
    assert played.kinds().count("Open") == 2


def test_a_look_that_fails_does_not_end_a_living_stream(stage):
    beat = (10.0, b":\n\n")
    played = stage(200, beat, UnreachableError("down"), (3.0, sent(finish())), "completed")
    assert played.follow() == [("task_finished", None)]
    assert played.error is None


@pytest.mark.parametrize(
    ("status", "kind"), [(404, NotFoundError), (401, AuthenticationError), (403, AuthenticationError)]
)
def test_a_task_that_is_not_ours_to_see_is_told_at_once(stage, status, kind):
    played = stage(status, status)
    assert played.follow() == []
    assert type(played.error) is kind
    assert played.kinds() == ["Open", "Close", "Request"]


@pytest.mark.parametrize("status", [403, 404, 405, 204])
def test_a_task_whose_stream_is_refused_is_polled(stage, status):
    played = stage(status, "executing", "executing", "completed")
    assert played.follow() == [("task_updated", None), ("task_finished", None)]
    assert played.kinds() == ["Open", "Close", "Request", "Pause", "Request", "Pause", "Request"]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_remote_that_is_busy_is_asked_for_the_stream_again(stage, status):
    played = stage(status, "executing", 200, (0.0, sent(finish())), "completed")
    assert played.follow() == [("task_finished", None)]


def test_a_remote_that_is_not_there_is_told_at_the_first_look(stage):
    played = stage(None, UnreachableError("refused"))
    assert played.follow() == []
    assert type(played.error) is UnreachableError


def test_a_remote_that_goes_away_is_looked_for_several_times(stage):
    gone = [None, UnreachableError("gone")]
    played = stage(200, None, *[UnreachableError("gone"), *gone[:1]] * (TROUBLES - 1), UnreachableError("gone"))
    played.follow()
    assert type(played.error) is UnreachableError
    assert played.kinds().count("Request") == TROUBLES
    back = stage(200, None, *[UnreachableError("gone"), None] * (TROUBLES - 1), "completed")
    assert back.follow() == [("task_finished", None)]


def test_a_limit_of_money_is_told_at_once(stage, answer):
    played = stage(200, None, RateLimitedError("billing"))
    played.script[-1].billing = True
    played.follow()
    assert type(played.error) is RateLimitedError
