"""The library against an engine: in threads, in loops, one after another, and closed. Nothing is left open."""

import asyncio
import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing

import pytest
from patience import PATIENCE, until
from tasks_engines import serving
from tasks_played import BLOCKING, KEY, WAITING

from taskspec import (
    AgentExecutionStatus,
    Agents,
    AuthenticationError,
    Configuration,
    ConflictError,
    InvalidError,
    NotFoundError,
    Task,
    Tasks,
    Tokens,
    UnreachableError,
    UsageError,
)
from taskspec.taskapi import pacing
from taskspec.taskapi.tasks import sessions, sharing

COLOURS = pytest.mark.parametrize("colour", [BLOCKING, WAITING], ids=["blocking", "waiting"])
ENDED = {"completed", "failed", "error", "stopped"}


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("engine")) as configuration:
        yield configuration


@pytest.fixture(autouse=True)
def nothing_left_open():
    """Warnings of sockets that nobody closed are errors; they come when they are collected."""
    yield
    gc.collect()


@pytest.fixture
def tasks(config):
    with Tasks(config) as client:
        yield client


@COLOURS
def test_a_task_lives_from_its_creation_to_its_result(tasks, colour):
    task = colour(tasks, "create", "agent123", prompt="hello", title="t", tool_call_payload_extension={"a": 1})
    told = colour.events(task)
    assert told[-1].type == "task_finished"
    assert told[-1].task.result == "hello"
    assert told[-1].time.tzinfo is not None
    colour(task, "reload")
    assert (task.status, task.result) == (AgentExecutionStatus.Completed, "hello")
    assert (task.title, task.payload_extension) == ("t", {"a": 1})
    item = next(item for item in colour(tasks, "list", "agent123") if item.id == task.id)
    assert (item.status, item.title) == ("completed", "t")
    assert colour(item, "load").result == "hello"
    assert len(colour(task, "get_activity_log").messages) == 2


@COLOURS
def test_fields_are_saved_and_read_back(tasks, config, colour):
    task = colour(Task, "report_external_task", config, "agent123", result="r", tokens=Tokens(prompt_tokens=1))
    task.title = "new"
    task.payload_extension = {"a": [1, {"b": None}]}
    task.internal_status = "half"
    task.used_tools.append("hammer")
    task.tokens = Tokens(prompt_tokens=5, completion_tokens=6)
    colour(task, "save")
    read = colour(Task, "load", task.id, configuration=config)
    assert (read.title, read.internal_status, read.used_tools) == ("new", "half", ["hammer"])
    assert read.payload_extension == {"a": [1, {"b": None}]}
    assert read.tokens == Tokens(prompt_tokens=5, completion_tokens=6)
    assert read.result == "r"
    task.title = None
    assert colour(task, "save").title is None
    assert colour(tasks, "update", task.id, result="s").result == "s"
    assert colour(task, "set_status", "failed").result == "s"
    assert colour(task, "set_status", "completed", None).result is None


@COLOURS
def test_a_running_task_is_stopped(tasks, colour):
    task = colour(tasks, "create", "endless")
    colour(task, "stop")
    assert task.status is AgentExecutionStatus.Stopped
    assert colour(tasks, "stop", task.id).is_manually_stopped


@COLOURS
def test_lists_are_filtered(tasks, colour):
    task = colour(tasks, "create", "failing", user_details={"email": "e@x", "id": f"user-{colour.prefix}"})
    colour.events(task)
    failed = {"status": [AgentExecutionStatus.Failed, AgentExecutionStatus.Error]}
    found = colour(tasks, "list_user_tasks", f"user-{colour.prefix}")
    assert [item.id for item in found] == [task.id]
    assert found[0].status in failed["status"]
    status = found[0].status
    assert task.id in {item.id for item in colour(tasks, "list", "failing", {"status": status})}
    assert colour(tasks, "list", "failing", {"status": "paused"}) == []


@COLOURS
def test_agents_are_found(config, colour):
    with Agents(config) as agents:
        assert {agent.id for agent in colour(agents, "list")} == {"agent123", "endless", "failing"}
        assert colour(agents, "get", "agent123").name
        with pytest.raises(NotFoundError):
            colour(agents, "get", "nobody")


@COLOURS
def test_the_same_key_makes_one_task(tasks, colour):
    key = f"key-{colour.prefix}"
    first = colour(tasks, "create", "agent123", prompt="once", idempotency_key=key)
    again = colour(tasks, "create", "agent123", prompt="once", idempotency_key=key)
    assert again.id == first.id
    with pytest.raises(ConflictError):
        colour(tasks, "create", "agent123", prompt="other", idempotency_key=key)


@COLOURS
def test_what_the_remote_refuses_is_a_typed_error(tasks, config, colour):
    for name, given in (("get", {}), ("stop", {}), ("update", {"source": "s"})):
        with pytest.raises(NotFoundError) as caught:
            colour(tasks, name, "no-such-task", **given)
        assert caught.value.status == 404
        assert caught.value.detail
    with pytest.raises(NotFoundError):
        colour(tasks, "create", "nobody")
    with pytest.raises(InvalidError):
        colour(tasks, "create", "agent123", output_format="origami")
    with pytest.raises(InvalidError):
        colour(tasks, "list", "agent123", {"status": "meditating"})
    stranger = Configuration(api_key=KEY, base_url=config.base_url, organization_id="local")
    with Tasks(stranger) as others:
        with pytest.raises(AuthenticationError) as caught:
            colour(others, "get", "t")
        assert KEY not in f"{caught.value} {caught.value.hint} {caught.value.detail}"


@COLOURS
def test_a_stream_of_a_task_that_is_not_there_is_an_error(tasks, colour):
    task = colour(tasks, "create", "agent123")
    task.__dict__.update(id="no-such-task", _wire={"id": "no-such-task"})
    with pytest.raises(NotFoundError):
        colour.events(task)


def test_events_come_as_they_happen(tasks):
    task = tasks.create("endless", prompt="x", events_streaming=True)
    with closing(task.events()) as told:
        assert next(told).type == "task_created"
        assert tasks.get(task.id).status not in ENDED

    async def first():
        other = await tasks.acreate("endless", prompt="x", events_streaming=True)
        async with aclosing(other.aevents()) as news:
            event = await anext(news)
        return event, await tasks.aget(other.id)

    event, read = asyncio.run(first())
    assert event.type == "task_created"
    assert read.status not in ENDED
    assert tasks.stop(task.id)
    assert tasks.stop(read.id)


def test_one_client_serves_one_loop_after_another(config):
    tasks = Tasks(config)
    for _ in range(3):
        assert asyncio.run(tasks.alist("agent123")) is not None
        assert tasks._session._waiting == {}
    tasks.close()


def test_one_client_serves_threads_loops_and_a_coroutine_at_once(tasks):
    def in_a_thread(number):
        if number % 2:
            return tasks.create("agent123", prompt=str(number)).id
        return asyncio.run(tasks.acreate("agent123", prompt=str(number))).id

    async def in_a_loop():
        made = await asyncio.gather(*(tasks.acreate("agent123", prompt="c") for _ in range(50)))
        return {task.id for task in made}

    with ThreadPoolExecutor(8) as pool:
        threads = [pool.submit(in_a_thread, number) for number in range(40)]
        ids = asyncio.run(in_a_loop()) | {thread.result() for thread in threads}
    assert len(ids) == 90


def test_the_blocking_colour_works_in_a_running_loop(tasks):
    async def blocks():
        return tasks.create("agent123", prompt="x"), await tasks.alist("agent123")

    task, items = asyncio.run(blocks())
    assert task.id in {item.id for item in items}


def test_a_client_that_is_dropped_in_a_loop_closes_its_connections(config):
    async def use_and_drop():
        assert await Tasks(config).alist("agent123") is not None
        gc.collect()
        await asyncio.sleep(0.05)

    asyncio.run(use_and_drop())
    assert Tasks(config).list("agent123") is not None


def test_a_client_that_a_loop_ends_with_is_closed(config):
    async def use_and_leave():
        tasks = Tasks(config)
        await tasks.acreate("agent123", prompt="x")
        await asyncio.gather(*(tasks.acreate("agent123", prompt="x") for _ in range(3)), tasks.alist("agent123"))

    for _ in range(3):
        asyncio.run(use_and_leave())
        gc.collect()
        assert sessions._LEAVING == {}


def test_a_stream_that_a_loop_ends_with_is_closed(config, caplog):
    async def leave_early():
        task = await Tasks(config).acreate("agent123", prompt="x", events_streaming=True)
        async for _ in task.aevents():
            break

    for _ in range(5):
        asyncio.run(leave_early())
        gc.collect()
        assert sessions._LEAVING == {}
    assert not caplog.records


@COLOURS
def test_a_stream_ends_when_its_client_is_closed(config, colour):
    tasks = Tasks(config)
    task = tasks.create("endless", events_streaming=True)
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(colour.events, task)
        time.sleep(0.3)
        tasks.close()
        with pytest.raises(UsageError, match="closed"):
            told.result(PATIENCE)
    with Tasks(config) as others:
        others.stop(task.id)


def test_a_loaded_task_keeps_its_connection_after_its_configuration_is_gone(config):
    task_id = Task.report_external_task(config, "agent123", result="r").id
    own = Configuration(api_key=config.api_key, base_url=config.base_url, organization_id="local")
    task = Task.load(task_id, configuration=own)
    del own
    gc.collect()
    assert task.reload().result == "r"
    assert asyncio.run(task.areload()).result == "r"


@COLOURS
def test_a_closed_client_says_so(config, colour):
    with Tasks(config) as tasks:
        task = colour(tasks, "create", "agent123")
        item = colour(tasks, "list", "agent123")[0]
    for thing, name, arguments in (
        (tasks, "get", [task.id]),
        (tasks, "create", ["agent123"]),
        (task, "reload", []),
        (item, "load", []),
    ):
        with pytest.raises(UsageError, match="closed"):
            colour(thing, name, *arguments)
    with pytest.raises(UsageError, match="closed"):
        colour.events(task)
    tasks.close()
    assert colour(item, "load", configuration=config).id == item.id


def test_an_async_with_closes_both_colours(config):
    async def use():
        async with Tasks(config) as tasks:
            await asyncio.gather(tasks.alist("agent123"), tasks.alist("endless"))
            await asyncio.to_thread(tasks.list, "agent123")
        with pytest.raises(UsageError, match="closed"):
            await tasks.alist("agent123")
        await tasks.aclose()

    asyncio.run(use())


def test_a_client_is_closed_from_another_thread_than_its_loops(config):
    tasks = Tasks(config)
    opened, closed = threading.Event(), threading.Event()

    async def use():
        await tasks.alist("agent123")
        ((connection, _),) = tasks._session._waiting.values()
        (http,) = connection._pool._sessions.values()
        assert not http.closed
        opened.set()
        await asyncio.to_thread(closed.wait)
        await asyncio.to_thread(until, lambda: http.closed)
        with pytest.raises(UsageError, match="closed"):
            await tasks.alist("agent123")

    with ThreadPoolExecutor(1) as pool:
        loop = pool.submit(asyncio.run, use())
        assert opened.wait(PATIENCE)
        tasks.close()
        closed.set()
        loop.result(PATIENCE)


@COLOURS
def test_calls_without_a_configuration_share_one_session(config, colour, monkeypatch):
    monkeypatch.setattr(sharing, "_DEFAULTS", {})
    monkeypatch.setenv("XPANDER_API_KEY", config.api_key)
    monkeypatch.setenv("XPANDER_BASE_URL", config.base_url)
    monkeypatch.setenv("XPANDER_ORGANIZATION_ID", "local")
    made = colour(Task, "report_external_task", agent_id="agent123", result="r")
    read = colour(Task, "load", made.id)
    assert read._session is made._session
    monkeypatch.setattr(sharing.os, "getpid", lambda: -1)
    forked = colour(Task, "load", made.id)
    assert forked._session is not made._session
    monkeypatch.setenv("XPANDER_AGENT_ID", "agent123")
    changed = colour(Task, "load", made.id)
    assert changed._session is not forked._session
    assert changed._session.configuration.agent_id == "agent123"
    for task in (made, forked, changed):
        task._session.close()


@COLOURS
def test_a_remote_that_is_not_there_is_unreachable(colour):
    nowhere = Configuration(api_key=KEY, base_url="http://127.0.0.1:9", timeout=5)
    with Tasks(nowhere) as tasks, pytest.raises(UnreachableError) as caught:
        colour(tasks, "get", "t")
    assert KEY not in str(caught.value)


def test_a_pace_of_ones_own_is_kept_over_both_colours(config, monkeypatch):
    reserve, turns = pacing.Pace.reserve, []

    def noted(self, now):
        wait = reserve(self, now)
        turns.extend([] if wait > 0 else [now])
        return wait

    monkeypatch.setattr(pacing.Pace, "reserve", noted)
    monkeypatch.setattr(pacing, "MINUTE", 1.0)
    paced = Configuration(
        api_key=config.api_key, base_url=config.base_url, organization_id="local", requests_per_minute=2
    )
    with Tasks(paced) as tasks:
        asyncio.run(tasks.alist("agent123"))
        tasks.list("agent123")
        tasks.list("agent123")
    assert len(turns) == 3
    assert turns[2] - turns[0] >= 1
