"""The engine's pure parts: transitions, ends, lines, references."""

import json

import pytest

from taskspec.engine import changing, wire
from taskspec.engine.agents import Cut, Exit, ending
from taskspec.engine.changing import Ending, Run
from taskspec.engine.database import Database, open_database
from taskspec.engine.listening import MAX_LINE, Lines
from taskspec.engine.model import RefusalError, Status, Turn
from taskspec.engine.streaming import EventLog, envelope
from taskspec.engine.uploads import parsed

NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:01:30.5Z"


def _run(**changes) -> Run:
    run = changing.created("r1", "a", {"input": {"text": "x"}, "user_tokens": {"k": "v"}}, NOW)
    return Run(task={**run.task, **changes}, turn=run.turn)


def test_a_waiting_run_is_begun_once():
    begun = changing.begun(_run(), NOW)
    assert begun.turn is Turn.HELD
    assert begun.task["status"] == "executing"
    assert changing.begun(begun, NOW) is None


def test_a_run_that_somebody_else_moved_is_not_begun():
    moved = changing.patched(_run(), {"status": "paused"}, NOW)
    assert changing.begun(moved, NOW) is None


@pytest.mark.parametrize("status", ["paused", "executing", "completed"])
def test_nobody_can_set_a_run_to_pending_that_waits_no_more(status):
    moved = changing.patched(_run(), {"status": status}, NOW)
    with pytest.raises(RefusalError, match="nothing would start") as refusal:
        changing.patched(moved, {"status": "pending"}, NOW)
    assert refusal.value.status == 409


def test_a_run_has_ended_when_it_first_ended():
    ended = changing.patched(changing.patched(_run(), {"status": "completed"}, NOW), {"status": "failed"}, LATER)
    assert ended.task["finished_at"] == NOW


def test_an_end_is_recorded_with_its_duration_and_without_secrets():
    run = changing.ended(changing.begun(_run(), NOW), Ending(status=Status.COMPLETED, result="r"), LATER)
    assert (run.task["status"], run.task["result"], run.task["duration"]) == ("completed", "r", 90.5)
    assert run.task["user_tokens"] is None
    assert run.turn is Turn.OVER


def test_a_second_end_does_not_replace_the_first():
    first = changing.ended(changing.begun(_run(), NOW), Ending(status=Status.COMPLETED, result="r"), LATER)
    assert changing.ended(first, Ending(status=Status.ERROR, result="late"), LATER).task == first.task


def test_what_was_taken_and_not_started_waits_again():
    assert changing.put_back(changing.begun(_run(), NOW)) == _run()


def test_a_report_does_not_replace_a_live_run():
    with pytest.raises(RefusalError, match="report"):
        changing.reported(changing.begun(_run(), NOW), "a", {"result": "x"}, NOW)


@pytest.mark.parametrize(
    ("end", "status", "result"),
    [
        (Exit(code=0, cut=None, output="a", errors=("warning",)), Status.COMPLETED, "a"),
        (Exit(code=3, cut=None, output="a", errors=("one", "two")), Status.FAILED, "exit code 3\none\ntwo"),
        (Exit(code=-15, cut=None, output="", errors=()), Status.FAILED, "ended by signal 15"),
        (Exit(code=-15, cut=Cut.TIMED_OUT, output="", errors=(), timeout=60.0), Status.FAILED, "timed out after 60s"),
        (Exit(code=0, cut=Cut.STOPPED, output="half", errors=()), Status.STOPPED, None),
    ],
)
def test_an_end_means_one_thing(end, status, result):
    assert ending(end) == Ending(status=status, result=result)


def test_only_an_interruption_is_an_error():
    ends = {cut: ending(Exit(code=0, cut=cut, output="", errors=())).status for cut in Cut}
    assert [cut for cut, status in ends.items() if status is Status.ERROR] == [Cut.INTERRUPTED]


def test_lines_are_found_wherever_the_pieces_are_cut():
    heard = []
    lines = Lines(heard.append)
    for piece in (b"on", b"e\ntw", b"o\n\nthree", b""):
        lines.feed(piece)
    assert heard == [b"one", b"two", b"", b"three"]


def test_a_line_without_end_is_cut():
    heard = []
    lines = Lines(lambda line: heard.append(len(line)))
    lines.feed(b"x" * (MAX_LINE + 1))
    assert heard == [MAX_LINE + 1]


def test_a_url_is_no_reference():
    assert parsed("https://example.com/upload:x") is None
    assert str(parsed(f"upload:{'a' * 64}/b/c.csv").path) == "b/c.csv"


def test_a_torn_line_is_left_out_and_spoils_no_other(tmp_path):
    log = EventLog(tmp_path, live=True)
    log.append("r1", [envelope("r1", "chunk", "one")])
    with (tmp_path / "r1" / "events.jsonl").open("a") as file:
        file.write('{"type": "chu')
    log.append("r1", [envelope("r1", "chunk", "two")])
    assert [event["data"] for event in log.events("r1")] == ["one", "two"]


def test_a_line_longer_than_a_reading_is_whole(tmp_path):
    log = EventLog(tmp_path, live=True)
    log.append("r1", [envelope("r1", "chunk", "x" * 3_000_000), envelope("r1", "chunk", "y")])
    assert [len(event["data"]) for event in log.events("r1")] == [3_000_000, 1]


@pytest.fixture
def database(tmp_path):
    database = open_database(tmp_path)
    yield database
    database.close()


def test_a_job_that_fails_takes_only_its_own_writes_back(database: Database):
    def write(name):
        def job(connection):
            connection.execute("INSERT INTO meta VALUES (?, '')", (name,))
            if name == "bad":
                raise RefusalError(409, "no")

        return job

    futures = [database.submit(write(name)) for name in ("a", "bad", "b")]
    assert [type(future.exception()) for future in futures] == [type(None), RefusalError, type(None)]
    names = database.submit(lambda c: [row["name"] for row in c.execute("SELECT name FROM meta")]).result()
    assert set(names) == {"a", "b", "format", "instance"}


def test_events_are_one_line_of_ascii(tmp_path):
    log = EventLog(tmp_path, live=True)
    log.append("r1", [envelope("r1", "chunk", "a\u2028b\nc\x85")])
    raw = (tmp_path / "r1" / "events.jsonl").read_text(encoding="ascii")
    assert len(raw.splitlines()) == 1
    assert json.loads(raw)["data"] == "a\u2028b\nc\x85"


@pytest.mark.parametrize(
    "change",
    [
        lambda run: changing.patched(run, {"status": "failed"}, NOW),
        lambda run: changing.patched(run, {"status": "paused", "user_oidc_token": "again"}, NOW),
        lambda run: changing.patched(changing.stopped(run, NOW), {"user_tokens": {"k": "late"}}, NOW),
        lambda run: changing.reported(run, "a", {"result": "x"}, NOW),
        lambda run: changing.stopped(run, NOW),
        lambda run: changing.ended(changing.begun(run, NOW), Ending(status=Status.ERROR, result=None), NOW),
    ],
)
def test_a_run_that_is_over_holds_no_secret(change):
    after = change(_run(user_oidc_token="canary"))
    assert after.turn is Turn.OVER
    assert (after.task["user_tokens"], after.task["user_oidc_token"]) == (None, None)


def test_of_a_server_only_what_is_no_secret_is_kept():
    server = {
        "name": "m",
        "url": "https://u:p@mcp.example/x?key=1",
        "headers": {"a": "s"},
        "api_key": "s",
        "command": "s",
    }
    task = wire.without_secrets(
        {**wire.blank_task("r", "a", "now"), "mcp_servers": [server], "user_tokens": {"u": "s"}}
    )
    assert task["mcp_servers"] == [{"name": "m", "url": "https://mcp.example/x"}]
    assert task["user_tokens"] is None
