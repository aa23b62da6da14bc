"""What nobody should send: the engine refuses it with words, takes none of it, and never fails."""

import http.client
import json
import random
import string

import pytest

from taskspec.engine import changing
from taskspec.engine.app import _TABLE
from taskspec.engine.model import RefusalError

CREATE = "/agent-execution/echo"


def nested(depth):
    return b'{"input": {"text": "x"}, "payload_extension": {"a": ' + b"[" * depth + b"]" * depth + b"}}"


@pytest.mark.parametrize("depth", [99, 970, 200_000])
def test_a_body_of_a_hundred_levels_and_more_is_refused_and_starts_nothing(engine, depth):
    answer = engine.http.post(CREATE, content=nested(depth))
    assert answer.status_code == 422
    assert "100 levels" in answer.json()["detail"]
    assert engine.http.get("/agent-execution/executions/history/echo").json() == []


def test_a_body_of_fewer_levels_is_taken(engine):
    run = engine.http.post(CREATE, content=nested(98)).json()["id"]
    assert engine.until(run)["status"] == "completed"
    assert engine.events(run)


@pytest.mark.parametrize("status", [{}, [], 7, True, "running", ["completed"]])
def test_a_status_that_is_none_is_refused(engine, status):
    run = engine.run()["id"]
    for body in ({"status": status}, {"id": run, "status": status}):
        answer = engine.http.patch(f"/agent-execution/{run}/update", json=body)
        assert answer.status_code == 422
        assert "pending, executing" in answer.json()["detail"][0]["msg"]


EMAIL = {"email": "a@b.example"}
SERVER = "mcp_servers[0]"
REFUSED = [
    ({"input": {"user": "ada"}}, "input.user"),
    ({"input": {"user": {**EMAIL, "id": 7}}}, "input.user.id"),
    ({"input": {"user": {**EMAIL, "id": 2**70}}}, "input.user.id"),
    ({"input": {"user": {**EMAIL, "id": {}}}}, "input.user.id"),
    ({"input": {"user": {"id": []}}}, "input.user.id"),
    ({"input": {"user": {"email": 5}}}, "input.user.email"),
    ({"input": {"user": {**EMAIL, "first_name": 1}}}, "input.user.first_name"),
    ({"input": {"user": {**EMAIL, "timezone": []}}}, "input.user.timezone"),
    ({"input": {"user": {**EMAIL, "additional_attributes": "x"}}}, "input.user.additional_attributes"),
    ({"input": {"principal": "ada"}}, "input.principal"),
    ({"input": {"principal": {}}}, "input.principal.kind"),
    ({"input": {"principal": {"kind": "user"}}}, "input.principal.id"),
    ({"input": {"principal": {"kind": "robot", "id": "x"}}}, "input.principal.kind"),
    ({"input": {"principal": {"kind": [], "id": "x"}}}, "input.principal.kind"),
    ({"input": {"principal": {"kind": "user", "id": "a:b"}}}, "input.principal.id"),
    ({"input": {"principal": {"kind": "user", "id": "a b"}}}, "input.principal.id"),
    ({"input": {"principal": {"kind": "user", "id": ""}}}, "input.principal.id"),
    ({"input": {"principal": {"kind": "user", "id": "a", "email": 1}}}, "input.principal.email"),
    ({"input": {"attachments": "x"}}, "input.attachments"),
    ({"input": {"attachments": ["x"]}}, "input.attachments"),
    ({"input": {"attachments": [{"name": "x"}]}}, "input.attachments[0].url"),
    ({"input": {"attachments": [{"url": 1}]}}, "input.attachments[0].url"),
    ({"input": {"attachments": [{"url": "u"}, {"url": "u", "size": "1"}]}}, "input.attachments[1].size"),
    ({"input": {"attachments": [{"url": "u", "kind": "film"}]}}, "input.attachments[0].kind"),
    ({"deep_planning": {"enabled": "yes"}}, "deep_planning.enabled"),
    ({"deep_planning": {"tasks": {}}}, "deep_planning.tasks"),
    ({"deep_planning": {"tasks": ["x"]}}, "deep_planning.tasks"),
    ({"deep_planning": {"tasks": [{"id": "1"}]}}, "deep_planning.tasks[0].title"),
    ({"deep_planning": {"tasks": [{"id": 1, "title": "t"}]}}, "deep_planning.tasks[0].id"),
    ({"deep_planning": {"tasks": [{"id": "1", "title": "t", "completed": "no"}]}}, "deep_planning.tasks[0].completed"),
    ({"mcp_servers": [{"type": "nearby"}]}, SERVER + ".type"),
    ({"mcp_servers": [{"type": {}}]}, SERVER + ".type"),
    ({"mcp_servers": [{"transport": "pigeon"}]}, SERVER + ".transport"),
    ({"mcp_servers": [{"headers": "x"}]}, SERVER + ".headers"),
    ({"mcp_servers": [{"allowed_tools": [1]}]}, SERVER + ".allowed_tools"),
    ({"tool_call_limit": 2**63}, "tool_call_limit"),
]


@pytest.mark.parametrize(("body", "key"), REFUSED)
def test_what_readers_could_not_read_is_refused_by_its_name(body, key):
    with pytest.raises(RefusalError) as refusal:
        changing.created("r1", "a", {"input": {}, **body}, "2026-01-01T00:00:00Z")
    (detail,) = refusal.value.detail
    assert refusal.value.status == 422
    assert detail["msg"].startswith(key + " ")
    assert detail["loc"] == ["body", next(iter(body))]


def test_a_value_that_is_refused_is_not_told():
    body = {"input": {}, "mcp_servers": [{"type": "canary-1", "api_key": 7, "headers": {"a": "canary-2"}}]}
    with pytest.raises(RefusalError) as refusal:
        changing.created("r1", "a", body, "2026-01-01T00:00:00Z")
    assert "canary" not in str(refusal.value.detail)


def test_what_readers_can_read_is_taken_as_it_is(engine):
    body = {
        "input": {
            "text": "x",
            "user": {**EMAIL, "id": "u", "additional_attributes": {"n": [1]}, "timezone": None},
            "principal": {"kind": "slack", "id": "U-1", "email": None, "display_name": "Ada"},
            "attachments": [{"url": "https://a.example/b", "kind": "pdf", "size": 3, "name": None}],
        },
        "deep_planning": {"enabled": True, "tasks": [{"id": "1", "title": "t"}]},
        "mcp_servers": [{"type": "remote", "transport": "sse", "url": "https://m.example", "headers": {"a": "b"}}],
    }
    task = engine.http.post(CREATE, json=body).json()
    assert task["input"] == {**body["input"], "files": []}
    assert task["mcp_servers"] == body["mcp_servers"]
    assert task["deep_planning"]["tasks"] == body["deep_planning"]["tasks"]


def test_how_often_a_run_was_tried_is_not_its_creators_to_say(engine):
    assert engine.create(execution_attempts=4)["execution_attempts"] == 1


@pytest.mark.parametrize("junk", ['{"n": NaN}', '{"n": 1e999}', '{"n": -Infinity}', r'"\ud800"', "[" * 900 + "]" * 900])
def test_an_agents_event_that_no_reader_could_read_is_left_out(project, junk):
    line = f'{{"type": "tool_call_request", "data": {{"payload": {junk}}}}}\n{{"type": "think", "data": {{}}}}\n'
    (project.folder / "lines").write_text(line)
    project.shell("talker", 'cat lines >> "$TASKSPEC_EVENTS"')
    with project.engine() as engine:
        run = engine.run("talker")["id"]
        assert [event["type"] for event in engine.events(run)] == [
            *("task_created", "task_updated", "think", "task_finished")
        ]
        assert engine.http.get(f"/activity/talker/{run}").status_code == 200


@pytest.mark.parametrize("data", ["NaN", r'{"thought": "\ud800"}'])
def test_an_event_that_was_kept_and_no_reader_could_read_is_left_out(project, engine, data):
    run = engine.run()["id"]
    with (project.data / "runs" / run / "events.jsonl").open("a") as kept:
        kept.write(f'{{"type": "think", "time": "2026-01-01T00:00:00Z", "data": {data}}}\n{{"type": "think"}}\n')
    assert "think" not in [event["type"] for event in engine.events(run)]
    assert engine.http.get(f"/activity/echo/{run}").status_code == 200


def test_a_task_within_a_pushed_event_is_told_without_its_secrets(engine, project):
    task = {
        "id": "t", "agent_id": "echo", "title": "kept", "user_tokens": {"a": "canary"}, "user_oidc_token": "canary",
        "configuration": {"api_key": "canary"},
        "mcp_servers": [{"name": "m", "headers": {"a": "canary"}, "url": "https://u:canary@m.example/?k=canary"}, 7],
    }  # fmt: skip
    run = engine.run()["id"]
    pushed = [{"type": "sub_task_created", "data": task}, {"type": "think", "data": {"tasks": [{"of": task}]}},
              {"type": "plan_updated", "data": {"mcp_servers": "odd", "user_tokens": None, "n": 1}}]  # fmt: skip
    assert engine.http.post(f"/agent-execution/{run}/events/push", json=pushed).status_code == 200
    plain = {"id": "t", "agent_id": "echo", "title": "kept", "user_tokens": None, "user_oidc_token": None,
             "mcp_servers": [{"name": "m", "url": "https://m.example/"}]}  # fmt: skip
    assert [event["data"] for event in engine.events(run)[-4:-1]] == [
        *(plain, {"tasks": [{"of": plain}]}, {"user_tokens": None, "n": 1})
    ]
    assert not [path for path in project.data.rglob("*") if path.is_file() and b"canary" in path.read_bytes()]


def test_only_the_methods_of_the_table_are_served_and_they_are_named(engine):
    run = engine.run()["id"]
    expected = {
        f"/agent-execution/{run}/events": "GET",
        f"/org1//agent-execution/{run}/events": "GET",
        "/events/echo/": "GET",
        "/events/echo": "GET, POST",
        "/agents/list": "GET",
        "/engine": "GET",
    }
    for path, allowed in expected.items():
        answer = engine.http.head(engine.handle.url + path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed), path
    answer = engine.http.put("/agent-execution/echo")
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, POST")
    assert engine.http.put("/agents/list").headers["allow"] == "GET"
    assert "allow" not in engine.http.get("/nothing").headers


def test_a_request_with_two_hosts_is_refused(engine):
    address = engine.handle.url.removeprefix("http://")
    connection = http.client.HTTPConnection(address)
    connection.putrequest("GET", "/agents/list", skip_host=True)
    for name, value in (("Host", address), ("Host", "evil.example"), ("x-api-key", engine.handle.api_key)):
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 400
    assert "Host" in json.loads(answer.read())["detail"]
    connection.close()


def test_the_runs_of_an_unknown_agent_are_not_listed_but_refused(project):
    project.shell("former", "cat")
    with project.engine() as engine:
        engine.run("former")
        assert engine.http.get("/agent-execution/executions/history/echo").json() == []
        answer = engine.http.get("/agent-execution/executions/history/ecko")
        assert answer.status_code == 404
        assert "`echo`" in answer.json()["detail"]
    del project.agents["former"]
    with project.engine() as engine:
        assert len(engine.http.get("/agent-execution/executions/history/former").json()) == 1
        rows = engine.http.get("/agent-execution/executions/history/former", params={"status": "failed"})
        assert rows.json() == []


ATOMS = (
    *(None, True, False, 0, -1, 2**70, 1.5, -1e300, 10**400, "", "x", "completed", "executing", "pending", "\x00"),
    *("\u2028", "🎉", "2026-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "https://x.example", "../x", {}, []),
)
KEYS = (
    *("id", "status", "input", "text", "files", "user", "email", "principal", "kind", "attachments", "url", "type"),
    *("data", "event", "result", "tokens", "duration", "used_tools", "deep_planning", "tasks", "mcp_servers", "title"),
    *("payload_extension", "tool_call_payload_extension", "execution_id", "llm_tokens", "is_success", "api_key"),
    *("user_tokens", "configuration", "started_at", "finished_at", "execution_attempts", "worker_id", "run_locally"),
    *("parent_execution_id", "hitl_request", "pending_eca_request", "internal_status", "identity", "name", "time"),
    *("request_id", "tool_name", "reasoning", "thought", "action", "prompt_tokens", "llm_response", "is_busy"),
)


def junk(random, depth=4):
    choice = random.random() if depth else 1
    if choice < 0.5:
        return {random.choice(KEYS): junk(random, depth - 1) for _ in range(random.randint(0, 6))}
    if choice < 0.65:
        return [junk(random, depth - 1) for _ in range(random.randint(0, 3))]
    return random.choice(ATOMS)


def junk_body(random, run):
    if random.random() < 0.08:
        return "".join(random.choices(string.printable, k=20)).encode()
    body = junk(random)
    if isinstance(body, dict) and random.random() < 0.7:
        body |= {"input": {"text": "x", **(body["input"] if isinstance(body.get("input"), dict) else {})}}
        body |= {key: run for key in ("id", "execution_id") if random.random() < 0.3}
    if isinstance(body, dict) and random.random() < 0.2:
        body = [{"type": random.choice(("think", "tool_call_request", "sub_agent_trigger", "usage")), "data": body}]
    return json.dumps(body).encode()


@pytest.mark.parametrize("seed", range(4))
def test_no_junk_makes_the_engine_fail(project, seed):
    project.shell("echo", "cat")
    chance = random.Random(seed)
    with project.engine(parallelism=2) as engine:
        run = engine.run()["id"]
        for _ in range(150):
            method, path, _endpoint = chance.choice(_TABLE)
            if method == "GET" and path.startswith("/events/"):
                continue
            agent = chance.choice(("echo", "echo", "echo", "%00", "x" * 300))
            of_run = path.startswith(("/agent-execution/{id}/", "/agent-execution/executions")) and "report" not in path
            name = run if of_run or method == "DELETE" else agent
            url = path.format(id=name, task=run, digest="0" * 64)
            if path == "/agent-execution/{id}/events":
                run = engine.run()["id"]
                url = path.format(id=run)
            query = {"status": chance.choice(("completed", "x", ""))} if "history" in path else None
            body = junk_body(chance, run)
            answer = engine.http.request(method, url, content=body, params=query)
            assert answer.status_code < 500, (method, url, body, answer.text)
        assert engine.run()["status"] == "completed"
        assert engine.http.get(f"/activity/echo/{run}").status_code == 200
