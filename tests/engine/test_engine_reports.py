"""What is told to the engine of runs: metrics, reports, events; and what it tells: lists, agents, the activity log."""

import pytest
from patience import until

from taskspec.engine.app import is_own_host

TOKENS = {"prompt_tokens": 3, "completion_tokens": 4, "cache_read_tokens": 0, "cache_write_tokens": 0}


def metrics(engine, agent="echo", **body):
    return engine.http.post(f"/agents-metrics/{agent}/execution", json=body)


def test_metrics_tell_what_a_run_has_cost(engine):
    run = engine.run("echo")["id"]
    none = dict.fromkeys(TOKENS, 0)
    answer = metrics(engine, execution_id=run, source="sdk", duration=0.0, llm_tokens={"inner": none, "worker": TOKENS})
    assert (answer.status_code, answer.json()) == (200, {})
    assert engine.task(run)["tokens"] == TOKENS
    assert engine.task(run)["duration"] > 0


def test_metrics_do_not_replace_what_is_known(engine):
    report = {"id": "ext", "tokens": TOKENS, "duration": 2.5}
    engine.http.post("/agent-execution/echo/report_task", json=report)
    before = engine.task("ext")
    assert metrics(engine, execution_id="ext", duration=9, llm_tokens={"worker": {"prompt_tokens": 99}}).json() == {}
    assert engine.task("ext") == before


def test_metrics_of_an_unknown_run_are_refused(engine):
    run = engine.run("echo")["id"]
    assert metrics(engine, execution_id="nobody").status_code == 404
    assert metrics(engine, "other", execution_id=run).status_code == 404


@pytest.mark.parametrize(
    "junk",
    [{}, {"execution_id": 7}, {"llm_tokens": []}, {"llm_tokens": "many"}, {"duration": "long"}, {"duration": True}],
)
def test_metrics_that_are_none_are_refused(engine, junk):
    run = engine.run("echo")["id"]
    body = {} if junk == {} else {"execution_id": run, **junk}
    assert metrics(engine, **body).status_code == 422
    assert metrics(engine, execution_id=run, llm_tokens={"worker": None, "inner": 3, "x": {"y": 1}}).status_code == 200
    assert engine.task(run)["tokens"] is None


def test_a_report_without_a_result_has_the_models_words(engine):
    def reported(**body):
        return engine.http.post("/agent-execution/echo/report_task", json=body).json()

    assert reported(input="a", llm_response="words")["result"] == "words"
    assert reported(input="a", llm_response="words", result="done")["result"] == "done"
    assert reported(input="a", llm_response={"choices": []})["result"] is None


def test_only_what_is_said_to_have_succeeded_has(engine):
    def reported(**body):
        return engine.http.post("/agent-execution/echo/report_task", json=body)

    assert reported().json()["status"] == "completed"
    assert reported(is_success=None).json()["status"] == reported(is_success=False).json()["status"] == "failed"
    for junk in ({"is_success": "yes"}, {"tokens": "x"}, {"input": {"text": "x"}}, {"used_tools": [1]}, {"id": 7}):
        assert reported(**junk).status_code == 422


def test_a_report_has_a_stream(engine):
    engine.http.post("/agent-execution/echo/report_task", json={"id": "ext", "result": "done"})
    engine.http.post("/agent-execution/echo/report_task", json={"id": "ext", "result": "done again"})
    assert [event["type"] for event in engine.events("ext")] == ["task_created", "task_updated", "task_finished"]


def test_a_report_cannot_take_another_agents_run(project):
    project.shell("other", "cat")
    with project.engine() as engine:
        run = engine.run("echo")["id"]
        answer = engine.http.post("/agent-execution/other/report_task", json={"id": run, "result": "mine"})
        assert answer.status_code == 422
        assert engine.task(run)["result"] == "hello"


def test_events_that_only_the_engine_sends_cannot_be_pushed(engine):
    run = engine.run("echo")["id"]
    kinds = ("task_created", "task_updated", "task_finished", "sub_task_finished")
    pushed = [{"type": kind, "data": {"status": "completed"}} for kind in kinds]
    assert engine.http.post(f"/agent-execution/{run}/events/push", json=pushed).json() == {}
    assert [event["type"] for event in engine.events(run)][-3:] == ["chunk", "sub_task_finished", "task_finished"]


def test_a_pushed_event_keeps_who_sent_it(engine):
    run = engine.run("echo")["id"]
    who = {"name": "Ada", "icon": "x"}
    pushed = [{"type": "think", "data": {}, "identity": who}, {"type": "think", "data": {}, "identity": "Ada"}]
    engine.http.post(f"/agent-execution/{run}/events/push", json=pushed)
    assert [event.get("identity") for event in engine.events(run)][-3:] == [who, None, None]
    for junk in ({}, "x", None):
        assert engine.http.post(f"/agent-execution/{run}/events/push", json=junk).status_code == 422


def test_the_activity_log_has_the_shapes_that_readers_know(engine):
    run = engine.run("echo", "hello")["id"]
    request = {"request_id": "1", "operation_id": "op", "reasoning": {"title": "why", "description": None}}
    pushed = [
        {"type": "analyze", "data": {"title": "t", "thought": "hm", "analysis": "a", "action": None}},
        {"type": "tool_call_request", "data": request},
        {"type": "tool_call_result", "data": {**request, "result": {"n": 1}, "is_error": False}},
        {"type": "tool_call_result", "data": {"request_id": "unknown"}},
        {"type": "sub_agent_trigger", "data": {"agent_id": "b", "query": "q"}},
        {"type": "think", "data": "text"},
        {"type": "plan_updated", "data": {}},
    ]
    engine.http.post(f"/agent-execution/{run}/events/push", json=pushed)
    log = engine.http.get(f"/activity/echo/{run}").json()
    assert log["id"] == run
    user, agent, thought, call, sub = [
        {k: v for k, v in m.items() if k not in {"id", "created_at"}} for m in log["messages"]
    ]
    assert user == {"role": "user", "content": {"text": "hello", "files": []}}
    assert agent == {"role": "agent", "content": {"text": "hello", "files": []}}
    assert thought == {"type": "analyze", "confidence": 1.0, "title": "t", "thought": "hm", "analysis": "a"}
    assert call == {
        "tool_name": "op", "payload": None, "reasoning": {"title": "why"}, "result": {"n": 1}, "is_error": False
    }  # fmt: skip
    assert sub == {"agent_id": "b", "reasoning": {}, "query": "q"}


def test_a_filter_that_is_repeated_asks_for_any_of_its_values(engine):
    one, two = engine.run("echo", "1")["id"], engine.run("echo", "2")["id"]
    engine.http.patch(f"/agent-execution/{two}/update", json={"status": "failed"})

    def ids(query):
        return [row["id"] for row in engine.http.get(f"/agent-execution/executions/history/echo?{query}").json()]

    assert ids("status=failed&status=AgentExecutionStatus.Completed") == [two, one]
    assert ids("status=failed&status=failed") == [two]
    assert ids("status=paused") == []
    following = engine.http.get("/agent-execution/executions/history/echo?status=failed&status=completed&per_page=1")
    assert [row["id"] for row in engine.http.get(following.links["next"]["url"]).json()] == [one]
    assert engine.http.get("/agent-execution/executions/history/echo?status=failed&status=x").status_code == 422


def test_a_filter_that_does_not_exist_is_refused_and_the_nearest_is_named(engine):
    refused = engine.http.get("/agent-execution/executions/history/echo?statsu=completed")
    assert refused.status_code == 422
    assert "Did you mean `status`?" in refused.json()["detail"]


def test_the_end_of_a_stream_says_when_the_run_ended_whenever_it_is_read(engine):
    run = engine.run("echo", "1")
    assert {engine.events(run["id"])[-1]["time"] for _ in range(2)} == {run["finished_at"]}


def test_an_agent_confirms_no_version_but_a_task_notes_which_was_asked_for(engine):
    for version in ("3", "99", "draft"):
        answer = engine.http.get("/agents/echo", headers={"x-agent-version": version})
        assert answer.status_code == 200
        assert answer.json() == engine.http.get("/agents/echo").json()
        assert "version" not in answer.json()
    answer = engine.http.post("/agent-execution/echo", json={"input": {}}, headers={"x-agent-version": "3"})
    assert answer.json()["agent_version"] == "3"


def test_a_burst_of_new_runs_is_listed_and_streamed(project):
    project.shell("slow", "exec sleep 600")
    with project.engine(parallelism=1) as engine:
        runs = [engine.create("slow", str(number))["id"] for number in range(20)]
        rows = engine.http.get("/agent-execution/executions/history/slow").json()
        assert [row["id"] for row in rows] == runs[::-1]
    with project.engine(parallelism=1) as engine:
        for run in reversed(runs[1:]):
            engine.stop(run)
        assert [event["type"] for event in engine.events(runs[-1])] == ["task_created", "task_finished"]
        created = engine.events(runs[-1])[0]
        assert (created["time"], created["data"]["status"]) == (created["data"]["created_at"], "pending")


def test_a_waiting_run_has_a_stream_where_nothing_is_served_but_what_is_stored(project):
    from taskspec.engine.hosting import Mode

    with project.engine(Mode.RECOVER) as engine:
        run = engine.create("echo")["id"]
    with project.engine(Mode.READ) as engine:
        assert [event["type"] for event in engine.events(run)] == ["task_created"]


def test_a_request_that_is_refused_costs_its_neighbours_nothing(engine):
    from concurrent.futures import ThreadPoolExecutor

    def ask(number):
        if number % 3 == 0:
            return engine.http.get("/agent-execution/nobody/status").status_code
        return engine.http.post("/agent-execution/echo", json={"input": {"text": str(number)}}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(60))) == [404, 200, 200] * 20
    until(lambda: not engine.http.get("/engine").json()["active"])
    rows = engine.http.get("/agent-execution/executions/history/echo").json()
    assert sorted(int(row["result"]) for row in rows) == [number for number in range(60) if number % 3]


_OWN = ("127.0.0.1:{p}", "localhost:{p}", "LocalHost:{p}", "[::1]:{p}")
_FOREIGN = (
    *(
        "",
        ":",
        "{p}",
        ":{p}x",
        "127.0.0.1",
        "localhost",
        "127.0.0.1:",
        "127.0.0.1:1",
        "localhost:{p}0",
        "localhost:{p}@x",
    ),
    *("evil.example:{p}", "127.0.0.1.evil.example:{p}", "localhost.evil.example:{p}", "evil.example", "localhost.:{p}"),
    *(
        "127.0.0.2:{p}",
        "0.0.0.0:{p}",
        "[::]:{p}",
        "[::2]:{p}",
        "::1:{p}",
        "[::1",
        "[::1]",
        "2130706433:{p}",
        "127.1:{p}",
    ),
    *("user@localhost:{p}", "localhost:{p}, evil.example", " localhost:{p}", "localhost:{p} ", "localhost :{p}"),
    *(
        "localhost\t:{p}",
        "localhost:+{p}",
        "localhost:-{p}",
        "localhost:{p}/",
        "http://localhost:{p}",
        "[localhost:{p}",
    ),
    *("[fe80::1%25eth0]:{p}", "192.168.0.1:{p}", "10.0.0.1:{p}", "169.254.169.254:{p}", "xn--lcalhost-54b:{p}"),
    *("localhost:７４１１", "ｌocalhost:{p}"),
)


@pytest.mark.parametrize("host", [*_OWN, *_FOREIGN])
def test_only_the_names_of_this_machine_are_its_own(host):
    assert is_own_host(host.format(p=7411), "127.0.0.1", 7411) is (host in _OWN)
