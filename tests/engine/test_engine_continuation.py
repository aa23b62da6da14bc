"""A task that is continued: a later turn of the same run."""

import json
import sqlite3
from pathlib import Path

import pytest

from taskspec.engine import endings
from taskspec.engine.changing import Ending
from taskspec.engine.hosting import Mode
from taskspec.engine.model import Status

SAMPLE = Path(__file__).parent / "samples" / "format-1.sql"
OLD_RUN = "076a6b98-d086-42ff-b20c-a8a8fdb9dabb"


@pytest.fixture
def teller(project):
    """Let an agent answer with the file that describes its task, and one fail."""
    project.shell("teller", 'cat "$TASKSPEC_TASK_FILE"')
    project.shell("failing", 'cat "$TASKSPEC_TASK_FILE" > seen.json; exit 3')
    project.shell("slow", "exec sleep 600")


@pytest.fixture
def engine(project, teller):
    with project.engine() as caller:
        yield caller


def refused(engine, agent="echo", **body):
    answer = engine.http.post(f"/agent-execution/{agent}", json={"input": {"text": "more"}, **body})
    assert answer.status_code >= 400, answer.text
    return answer.status_code, str(answer.json()["detail"])


def test_an_ended_task_goes_on_under_its_id(engine):
    first = engine.run("echo", "one", title="a title", payload_extension={"mark": 1})
    again = engine.create("echo", "two", id=first["id"], output_format="text")
    assert again["id"] == first["id"]
    assert again["created_at"] == first["created_at"]
    assert (again["status"], again["result"], again["started_at"], again["finished_at"], again["duration"]) == (
        "pending", None, None, None, 0
    )  # fmt: skip
    assert (again["title"], again["payload_extension"], again["output_format"]) == ("a title", {"mark": 1}, "text")
    assert engine.until(first["id"])["result"] == "two"
    assert len(engine.http.get("/agent-execution/executions/history/echo").json()) == 1


def test_what_a_turn_asks_for_is_asked_for_by_each_anew(engine):
    first = engine.run("echo", "one", output_format="json", expected_output="much", events_streaming=True)
    again = engine.create("echo", "two", id=first["id"])
    assert (again["output_format"], again["expected_output"], again["events_streaming"]) == (None, None, False)


def test_the_user_of_a_task_stays_unless_another_one_writes(engine):
    ada, bob = {"id": "ada", "email": "ada@example.com"}, {"id": "bob", "email": "bob@example.com"}
    body = {"input": {"text": "one", "user": ada}}
    run = engine.until(engine.http.post("/agent-execution/echo", json=body).json()["id"])["id"]
    assert engine.create("echo", "two", id=run)["input"]["user"] == ada
    engine.until(run)
    body = {"id": run, "input": {"text": "three", "user": bob}}
    engine.until(engine.http.post("/agent-execution/echo", json=body).json()["id"])
    assert [row["id"] for row in engine.http.get("/agent-execution/executions/history/user/bob").json()] == [run]
    assert engine.http.get("/agent-execution/executions/history/user/ada").json() == []
    messages = engine.http.get(f"/activity/echo/{run}").json()["messages"]
    assert [m["user"]["id"] for m in messages if m["role"] == "user"] == ["ada", "ada", "bob"]


def test_an_agent_is_given_the_earlier_messages(engine):
    run = engine.run("teller", "one")["id"]
    first = json.loads(engine.task(run)["result"])
    assert first["thread"] == []
    engine.create("teller", "two", id=run)
    second = json.loads(engine.until(run)["result"])
    assert [(m["role"], m["text"]) for m in second["thread"][:1]] == [("user", "one")]
    assert second["thread"][1]["role"] == "agent"
    assert second["input"]["text"] == "two"
    engine.create("teller", "three", id=run)
    third = json.loads(engine.until(run)["result"])
    assert [m["role"] for m in third["thread"]] == ["user", "agent", "user", "agent"]


def test_what_a_failed_turn_printed_is_no_message_of_its_agent(project, engine):
    run = engine.run("failing", "one")["id"]
    engine.create("failing", "two", id=run)
    engine.until(run)
    seen = json.loads((project.folder / "seen.json").read_text())
    assert seen["thread"] == [{"role": "user", "text": "one"}]
    texts = [m["content"]["text"] for m in engine.http.get(f"/activity/failing/{run}").json()["messages"]]
    assert texts == ["one", "exit code 3", "two", "exit code 3"]


def test_the_activity_log_tells_all_turns_in_their_order(engine):
    run = engine.run("echo", "one")["id"]
    for text in ("two", "three"):
        engine.create("echo", text, id=run)
        engine.until(run)
    messages = engine.http.get(f"/activity/echo/{run}").json()["messages"]
    assert [(m["role"], m["content"]["text"]) for m in messages] == [
        ("user", "one"), ("agent", "one"), ("user", "two"), ("agent", "two"), ("user", "three"), ("agent", "three"),
    ]  # fmt: skip
    assert len({m["id"] for m in messages}) == 6


def test_the_stream_tells_the_earlier_turns_and_ends_with_the_last(engine):
    run = engine.run("echo", "one")["id"]
    engine.create("echo", "two", id=run)
    engine.until(run)
    events = engine.events(run)
    assert [event["type"] for event in events] == [
        "task_created", "task_updated", "chunk", "task_updated", "task_updated", "chunk", "task_finished",
    ]  # fmt: skip
    assert [event["data"] for event in events if event["type"] == "chunk"] == ["one", "two"]
    assert (events[3]["data"]["status"], events[3]["data"]["input"]["text"]) == ("pending", "two")
    assert events[-1]["data"]["result"] == "two"


def test_an_active_task_cannot_be_continued(engine):
    run = engine.create("slow")["id"]
    engine.until(run, "executing")
    assert refused(engine, "slow", id=run) == (
        409, "the task is executing; it can be continued when it has ended, or is stopped"
    )  # fmt: skip
    engine.stop(run)
    assert engine.create("slow", "more", id=run)["is_manually_stopped"] is False
    engine.stop(run)


def test_a_task_that_is_not_there_is_not_made_by_its_id(engine):
    assert refused(engine, id="nobody") == (404, "Task not found")
    assert refused(engine, id=7)[0] == 422
    assert engine.http.get("/agent-execution/executions/history/echo").json() == []


def test_only_its_own_agent_continues_a_task(engine):
    run = engine.run("echo")["id"]
    status, detail = refused(engine, "teller", id=run)
    assert status == 422
    assert "belongs to agent `echo`" in detail
    assert engine.task(run)["status"] == "completed"


def test_a_wrong_file_does_not_begin_a_turn(engine):
    run = engine.run("echo", "one")["id"]
    assert refused(engine, id=run, input={"text": "x", "files": [f"upload:{'0' * 64}/a"]})[0] == 422
    assert engine.task(run)["result"] == "one"


def test_a_repeated_continuation_is_one_turn(engine):
    run = engine.run("echo", "one", key="first")["id"]
    body = {"id": run, "input": {"text": "two"}}

    def post(key, **changes):
        return engine.http.post("/agent-execution/echo", json={**body, **changes}, headers={"Idempotency-Key": key})

    made = post("again")
    assert made.status_code == 200
    assert "idempotency-replayed" not in made.headers
    engine.until(run)
    found = post("again")
    assert found.headers["idempotency-replayed"] == "true"
    assert (found.json()["status"], found.json()["result"]) == ("completed", "two")
    assert post("again", input={"text": "three"}).status_code == 409
    assert post("again", id=None).status_code == 409
    assert post("first").status_code == 409
    texts = [m["content"]["text"] for m in engine.http.get(f"/activity/echo/{run}").json()["messages"]]
    assert texts == ["one", "one", "two", "two"]


def test_the_key_of_a_continuation_outlives_the_engine(project, teller):
    with project.engine() as engine:
        run = engine.run("echo", "one")["id"]
        engine.create("echo", "two", id=run, key="k")
        engine.until(run)
    with project.engine() as engine:
        assert engine.create("echo", "two", id=run, key="k")["result"] == "two"


def test_a_task_that_was_stopped_while_it_waited_can_be_continued(project, teller):
    with project.engine(parallelism=1) as engine:
        first = engine.create("slow")["id"]
        engine.until(first, "executing")
        run = engine.create("echo", "one")["id"]
        engine.stop(run)
        engine.create("echo", "two", id=run)
        engine.stop(first)
        assert engine.until(run)["result"] == "two"
        assert engine.run("echo", "three")["result"] == "three"
        assert engine.http.get("/engine").json()["active"] == 0


def test_a_turn_that_waits_goes_on_under_the_next_engine(project, teller):
    with project.engine() as engine:
        run = engine.run("teller", "one")["id"]
    with project.engine(Mode.RECOVER) as engine:
        engine.create("teller", "two", id=run)
    with project.engine() as engine:
        assert [m["role"] for m in json.loads(engine.until(run)["result"])["thread"]] == ["user", "agent"]


def test_the_ending_of_an_earlier_turn_is_not_taken_for_a_later_ones(project, teller):
    with project.engine() as engine:
        run = engine.run("echo", "one")["id"]
        folder = project.data / "runs" / run
        endings.keep(folder, Ending(status=Status.COMPLETED, result="one"))
        engine.create("echo", "two", id=run)
        engine.until(run)
        assert endings.kept(folder) is None


def test_a_report_can_be_continued(engine):
    report = {"id": "ext-1", "input": "asked", "result": "done"}
    engine.http.post("/agent-execution/teller/report_task", json=report)
    engine.create("teller", "more", id="ext-1")
    assert [m["text"] for m in json.loads(engine.until("ext-1")["result"])["thread"]] == ["asked", "done"]


def old(project):
    project.data.mkdir(parents=True)
    connection = sqlite3.connect(project.data / "engine.db")
    connection.executescript(SAMPLE.read_text())
    connection.close()


def test_a_store_of_the_first_format_is_upgraded(project, teller):
    old(project)
    with project.engine() as engine:
        assert engine.task(OLD_RUN)["result"] == "old"
        asked = {"json": {"input": {"text": "old"}}, "headers": {"Idempotency-Key": "k-old"}}
        assert engine.http.post("/agent-execution/echo", **asked).json()["id"] == OLD_RUN
        engine.create("echo", "new", id=OLD_RUN, key="k-new")
        assert engine.until(OLD_RUN)["result"] == "new"
    with project.engine() as engine:
        assert engine.create("echo", "new", id=OLD_RUN, key="k-new")["result"] == "new"
        texts = [m["content"]["text"] for m in engine.http.get(f"/activity/echo/{OLD_RUN}").json()["messages"]]
        assert texts == ["old", "old", "new", "new"]


def test_a_store_of_the_first_format_is_read_without_an_upgrade(project, teller):
    old(project)
    before = (project.data / "engine.db").read_bytes()
    with project.engine(Mode.READ) as engine:
        assert engine.task(OLD_RUN)["result"] == "old"
        assert len(engine.http.get(f"/activity/echo/{OLD_RUN}").json()["messages"]) == 2
        assert refused(engine, id=OLD_RUN)[0] == 409
    assert (project.data / "engine.db").read_bytes() == before
