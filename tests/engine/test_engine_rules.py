"""The rules that an embedded server follows (protocol notes, 9.1), one group of tests each."""

import pytest

from taskspec.engine.wire import SETTABLE

SERVER_KEYS = {
    "id", "agent_id", "organization_id", "status", "input", "created_at", "started_at", "paused_at", "finished_at",
    "is_manually_stopped",
}  # fmt: skip


@pytest.fixture
def run(engine):
    return engine.run("echo", "hello", title="a title")["id"]


@pytest.mark.parametrize("prefix", ["", "/org1", "/None", "/", "//org1"])
def test_rule_1_every_call_is_served_at_the_root_and_under_an_organization(engine, run, prefix):
    url = f"{engine.handle.url}{prefix}/agent-execution/{run}/status"
    assert engine.http.get(url).json()["id"] == run


def test_rule_1_what_is_not_served_is_refused_in_json(engine):
    answers = [
        engine.http.get("/nothing"),
        engine.http.get("/agent-execution/x"),
        engine.http.get("/agents/list/"),
        engine.http.put("/agents/list"),
    ]
    for answer in answers:
        assert answer.status_code in {404, 405}
        assert answer.headers["content-type"] == "application/json"
        assert isinstance(answer.json()["detail"], str)


def test_rule_2_every_key_of_a_task_is_there(engine, run):
    task = engine.task(run)
    assert set(task) == SERVER_KEYS | set(SETTABLE)
    assert task["source"] == "sdk"
    assert task["background_auth_eligible"] is False
    assert task["mcp_servers"] == task["used_tools"] == task["sub_executions"] == []


def test_rule_2_a_user_without_an_email_is_not_shown(engine):
    answer = engine.http.post("/agent-execution/echo", json={"input": {"text": "x", "user": {"id": "u1"}}})
    assert answer.json()["input"]["user"] is None


def test_rule_3_a_patch_ignores_identity_and_takes_the_alias(engine, run):
    body = {"id": "other", "agent_id": "b", "organization_id": "c", "created_at": "never",
            "tool_call_payload_extension": {"k": 1}, "title": "new"}  # fmt: skip
    before = engine.task(run)
    after = engine.http.patch(f"/agent-execution/{run}/update", json=body).json()
    for key in ("id", "agent_id", "organization_id", "created_at", "status"):
        assert after[key] == before[key]
    assert after["payload_extension"] == {"k": 1}
    assert after["title"] == "new"
    assert engine.http.patch(f"/agent-execution/{run}/update", json={}).json() == after


def test_rule_3_a_configuration_is_dropped_unread(engine, run, project):
    body = {"id": run, "configuration": {"api_key": "canary-4711"}}
    after = engine.http.patch(f"/agent-execution/{run}/update", json=body)
    assert "configuration" not in after.json()
    engine.events(run)
    kept = b"".join(path.read_bytes() for path in project.data.rglob("*") if path.is_file())
    assert b"canary-4711" not in kept


def test_rule_3_the_wrong_defaults_of_old_clients_are_mended(engine, run):
    body = {"expected_output": [None], "mcp_servers": [[]], "triggering_agent_id": [None], "title": [None]}
    after = engine.http.patch(f"/agent-execution/{run}/update", json=body).json()
    assert [after[key] for key in body] == [None, [], None, None]


def test_rule_3_a_whole_object_can_be_sent_back(engine, run):
    task = engine.task(run)
    after = engine.http.patch(f"/agent-execution/{run}/update", json={**task, "internal_status": "seen"}).json()
    assert after == {**task, "internal_status": "seen"}


def test_rule_4_only_the_known_statuses_are_taken(engine, run):
    for wrong in ("running", 7, "AgentExecutionStatus.Running"):
        answer = engine.http.patch(f"/agent-execution/{run}/update", json={"status": wrong})
        assert answer.status_code == 422
    assert engine.task(run)["status"] == "completed"


def test_rule_4_a_status_stamps_its_time(engine, run):
    update = f"/agent-execution/{run}/update"
    assert engine.http.patch(update, json={"status": "paused"}).json()["paused_at"]
    ended = engine.http.patch(update, json={"status": "failed", "result": "no"}).json()
    assert (ended["status"], ended["result"]) == ("failed", "no")
    assert ended["finished_at"]


def test_rule_4_a_patch_does_not_leave_a_manual_stop(project):
    project.shell("slow", "sleep 600")
    with project.engine() as engine:
        run = engine.create("slow")["id"]
        engine.stop(run)
        after = engine.http.patch(f"/agent-execution/{run}/update", json={"status": "completed", "result": "late"})
        assert after.status_code == 200
        assert (after.json()["status"], after.json()["is_manually_stopped"]) == ("stopped", True)


def test_rule_5_a_stop_of_an_ended_task_leaves_it(engine, run):
    assert engine.http.delete(f"/agent-execution/{run}").status_code == 200
    assert engine.task(run)["status"] == "completed"


def test_rule_5_a_stop_of_an_unknown_task_is_404(engine):
    answer = engine.http.delete("/agent-execution/nobody")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Task not found"})


def test_rule_6_an_ended_task_is_replayed_and_its_stream_closed(engine, run):
    events = engine.events(run)
    assert [event["type"] for event in events] == ["task_created", "task_updated", "chunk", "task_finished"]
    assert [e["data"]["status"] for e in (events[0], events[1], events[3])] == ["pending", "executing", "completed"]
    for event in events:
        assert event["task_id"] == run
        assert event["organization_id"]
        assert event["time"]


def test_rule_7_a_list_is_a_bare_array_newest_first(engine):
    runs = [engine.run("echo", text)["id"] for text in "abc"]
    rows = engine.http.get("/agent-execution/executions/history/echo").json()
    assert [row["id"] for row in rows] == runs[::-1]
    assert rows[0]["result"] == "c"
    assert "payload_extension" not in rows[0]


def test_rule_7_filters_match_exactly(engine):
    user = {"email": "a@example.com", "id": "u1"}
    one = engine.until(
        engine.http.post("/agent-execution/echo", json={"input": {"text": "1", "user": user}}).json()["id"]
    )
    two = engine.run("echo", "2", triggering_agent_id="boss")

    def ids(**query):
        return [row["id"] for row in engine.http.get("/agent-execution/executions/history/echo", params=query).json()]

    assert ids(status="AgentExecutionStatus.Completed") == [two["id"], one["id"]]
    assert ids(status="failed") == []
    assert ids(user_id="u1") == [one["id"]]
    assert ids(triggering_agent_id="boss", parent_task_id="") == [two["id"]]
    by_user = engine.http.get("/agent-execution/executions/history/user/u1").json()
    assert [(row["id"], row["user_id"]) for row in by_user] == [(one["id"], "u1")]


@pytest.mark.parametrize("key", [None, "", "wrong", "\xe9"])
def test_rule_8_without_the_key_nothing_is_answered(engine, key):
    headers = {} if key is None else {"x-api-key": key.encode()}
    engine.http.headers.pop("x-api-key")
    answer = engine.http.get("/agents/list", headers=headers)
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Invalid or missing API key"}


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", "localhost", "[::2]:{port}"])
def test_rule_8_another_host_name_is_refused(engine, host):
    port = engine.handle.url.rpartition(":")[2]
    answer = engine.http.get("/agents/list", headers={"host": host.format(port=port)})
    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
def test_rule_8_the_names_of_this_machine_are_let_in(engine, host):
    port = engine.handle.url.rpartition(":")[2]
    assert engine.http.get("/agents/list", headers={"host": host.format(port=port)}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1"])
def test_rule_8_web_pages_are_refused(engine, origin):
    assert engine.http.get("/agents/list", headers={"origin": origin}).status_code == 403


def test_rule_10_agents_come_from_the_project(engine):
    (row,) = engine.http.get("/agents/list").json()
    assert {"id", "name", "icon", "instructions", "status", "organization_id", "created_at"} <= set(row)
    assert None not in row.values()
    agent = engine.http.get("/agents/echo").json()
    assert {"id", "organization_id", "name", "unique_name", "framework", "model_provider", "model_name"} <= set(agent)
    assert engine.http.get("/agents/ecko").status_code == 404


def test_an_unknown_agent_is_refused_with_the_known_ones(engine):
    answer = engine.http.post("/agent-execution/ecko", json={"input": {"text": "x"}}, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 404
    assert "`echo`" in answer.json()["detail"]
    assert answer.headers["idempotency-key"] == "k"


def test_every_answer_says_which_engine_it_is(engine, run):
    answers = [
        engine.http.get("/agents/list"),
        engine.http.get("/nothing"),
        engine.http.get("/agents/list", headers={"x-api-key": "wrong"}),
        engine.http.get(f"/agent-execution/{run}/events"),
    ]
    for answer in answers:
        assert answer.headers["taskspec-engine"] == engine.handle.instance
        assert answer.headers["taskspec-capabilities"] == "idempotency-key, uploads, pages"


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"input": 1}', b'{"input": {"text": 1}}', b'{"input": {"files": [1]}}',
     b'{"input": {}, "title": 1}', b'{"input": {}, "output_format": "html"}', b'{"input": {}, "tool_call_limit": NaN}',
     b"[" * 100_000],
)  # fmt: skip
def test_a_wrong_body_is_refused_and_starts_nothing(engine, body):
    answer = engine.http.post("/agent-execution/echo", content=body)
    assert answer.status_code == 422
    assert answer.json()["detail"]
    assert engine.http.get("/agent-execution/executions/history/echo").json() == []


def test_a_body_beyond_the_limit_is_refused(engine):
    answer = engine.http.post("/agent-execution/echo", json={"input": {"text": "x" * 16_000_000}})
    assert answer.status_code == 413


def test_pushed_events_reach_the_stream(engine, run):
    pushed = [{"type": "tool_call_request", "data": {"request_id": "1", "tool_name": "search"}}, {"type": 1}]
    assert engine.http.post(f"/org/agent-execution/{run}/events/push", json=pushed).json() == {}
    assert [event["type"] for event in engine.events(run)][-2:] == ["tool_call_request", "task_finished"]


def test_a_report_is_recorded_and_its_id_finds_it_again(engine):
    report = {"id": "ext-1", "input": "asked", "result": "done", "duration": 1.5, "used_tools": ["a"],
              "tokens": {"prompt_tokens": 3, "completion_tokens": 4}}  # fmt: skip
    first = engine.http.post("/agent-execution/echo/report_task", json=report).json()
    assert (first["id"], first["status"], first["result"], first["input"]["text"]) == (
        "ext-1", "completed", "done", "asked"
    )  # fmt: skip
    assert first["tokens"]["prompt_tokens"] == 3
    again = {"id": "ext-1", "is_success": False, "result": "broken"}
    assert engine.http.post("/agent-execution/echo/report_task", json=again).json()["status"] == "failed"
    assert len(engine.http.get("/agent-execution/executions/history/echo").json()) == 1
    assert engine.http.post("/agent-execution/echo/report_task", json={"id": "../x"}).status_code == 422


@pytest.mark.parametrize(
    "body", ['{"input": {"text": "\\ud800"}}', '{"input": {"text": "x"}, "payload_extension": {"n": 1e999}}']
)
def test_what_no_answer_could_hold_is_not_taken(engine, body):
    answer = engine.http.post("/agent-execution/echo", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
