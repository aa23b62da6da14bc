"""Listening to runs: what they say is told, line by line; what fails of it concerns no run."""

import asyncio

import pytest
from apply_stages import A, B, task

from taskspec.address import Address
from taskspec.apply import listening
from taskspec.apply.listening import Listener
from taskspec.apply.uttering import LONGEST, Utterances
from taskspec.errors import UnreachableError
from taskspec.events import Effect, ListeningEnded, RunSaid
from taskspec.health import Health
from taskspec.plan.model import Action, Change
from taskspec.taskapi.records import TaskEvent

SAYS = [
    ("task_created", {"id": "r", "status": "pending"}),
    ("think", {"title": "stderr", "thought": "one\ntwo"}),
    ("tool_call_request", {"tool_name": "search", "payload": {"q": 1}}),
    ("chunk", "An ans"),
    ("chunk", "wer\r\nin two lines\nand a bit"),
    ("news", {"a": [None]}),
]


def event(kind, data):
    return TaskEvent(type=kind, task_id="r", time=None, data=data)


def uttered(*events, secrets=()):
    utterances = Utterances(secrets)
    return [*(said for kind, data in events for said in utterances.of(event(kind, data))), *utterances.rest()]


def test_what_a_run_says_is_told_line_by_line_and_its_status_is_not():
    assert uttered(*SAYS) == [
        ("think", "stderr: one"),
        ("think", "two"),
        ("tool_call_request", 'search: {"q": 1}'),
        ("answer", "An answer"),
        ("answer", "in two lines"),
        ("answer", "and a bit"),
        ("news", '{"a": [null]}'),
    ]


def test_of_a_line_that_never_ends_only_its_beginning_is_held():
    utterances = Utterances()
    for _ in range(80):
        assert list(utterances.of(event("chunk", "x" * 65_536))) == []
        assert len(utterances._line) == LONGEST
    ((kind, text),) = utterances.of(event("chunk", "\nnext"))
    assert (kind, text) == ("answer", "x" * LONGEST + f"… ({80 * 65_536 - LONGEST:,} more characters)")
    assert list(utterances.rest()) == [("answer", "next")]


def test_a_long_thought_is_cut_too():
    ((_, text),) = uttered(("think", {"title": "stderr", "thought": "y" * 5_000_000}))
    assert len(text) < LONGEST + 40


def test_no_secret_of_the_task_is_said_wherever_the_line_is_cut():
    secret = "correct-horse-battery-staple"
    cut = "z" * (LONGEST - 5)
    said = uttered(
        ("chunk", f"the key is {secret[:9]}"),
        ("chunk", f"{secret[9:]}.\n{cut}{secret} and on\n"),
        ("think", {"title": "stderr", "thought": f"{cut}{secret}" + "z" * 9000}),
        secrets=[secret],
    )
    assert said[0] == ("answer", "the key is [secret].")
    assert not [text for _, text in said if "correct" in text or "horse" in text or "corre" in text]


def test_an_apply_that_listens_tells_what_its_runs_say(stage):
    stage.listens = True
    stage.remote.says["Write."] = [*SAYS, ("task_finished", {"id": "r", "status": "completed"})]
    assert stage.apply(task())[A].verdict == "accepted"
    said = stage.told(RunSaid)
    assert [one.text for one in said][:3] == ["stderr: one", "two", 'search: {"q": 1}']
    assert {(one.address, one.run) for one in said} == {(A, next(iter(stage.remote.runs)))}


def test_an_apply_that_does_not_listen_asks_for_no_stream(stage):
    stage.remote.says["Write."] = SAYS
    stage.apply(task())
    assert stage.told(RunSaid) == []
    assert stage.remote.asked["streams"] == 0


def test_a_stream_that_fails_is_told_and_changes_nothing(stage):
    stage.listens = True

    async def work(execution):
        async def cut(run):
            yield event("chunk", "half a li")
            raise UnreachableError("the stream was cut")

        execution._world.listener._events = cut
        await execution.run()

    finished = stage.play(work, task())[A]
    assert (finished.effect, finished.health) == (Effect.DONE, Health.HEALTHY)
    (told,) = stage.told(ListeningEnded)
    assert (told.address, told.detail) == (A, "the stream was cut")
    assert stage.exit_code() == 0


def change(address):
    return Change(address=address, action=Action.CREATE, reasons=(), health=Health.HEALTHY, agent="writer")


@pytest.mark.parametrize("trouble", [RuntimeError("a bug"), OSError("no socket"), ValueError()])
def test_whatever_goes_wrong_stays_with_the_listener(trouble):
    told = []

    async def broken(run):
        raise trouble
        yield

    async def listen():
        listener = Listener(broken, told.append, None)
        listener.listen(change(A), "r1")
        await listener.linger()
        await listener.close()

    asyncio.run(listen())
    assert told == [ListeningEnded(address=A, run="r1", detail=type(trouble).__name__)]


def test_only_what_is_selected_is_listened_to_each_run_once_and_all_ends_with_the_apply():
    opened, closed = [], []

    async def endless(run):
        opened.append(run)
        try:
            await asyncio.Event().wait()
            yield
        finally:
            closed.append(run)

    async def listen():
        listener = Listener(endless, lambda _: None, {A})
        for address, run in [(A, "r1"), (A, "r1"), (B, "r2"), (A, "r3")]:
            listener.listen(change(address), run)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await listener.close()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(listen())
    assert opened == ["r1", "r3"] == sorted(closed)


def test_no_more_streams_are_open_at_once_than_a_remote_bears():
    opened = []

    async def endless(run):
        opened.append(run)
        await asyncio.Event().wait()
        yield

    async def listen():
        listener = Listener(endless, lambda _: None, None)
        for number in range(100):
            listener.listen(change(Address(f"t{number}")), f"r{number}")
        for _ in range(5):
            await asyncio.sleep(0)
        await listener.close()

    asyncio.run(listen())
    assert len(opened) == listening.MOST
