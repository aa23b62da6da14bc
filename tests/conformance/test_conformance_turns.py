"""The vendor's SDK follows tasks, reads their activity, continues them and reports on them, in both colours."""

from conformance_stages import KEY, part

TALK = [
    "task_created",
    "task_updated",
    "think",
    "tool_call_request",
    "tool_call_result",
    "chunk",
    "chunk",
    "task_finished",
]
SECRETS = {"user_oidc_token": "oidc-secret-2f61", "user_tokens": {"service": "token-secret-90c1"}}


def roles(log):
    return [(message["role"], message["content"]["text"]) for message in log["messages"] if "role" in message]


def test_a_stream_tells_everything_in_order_and_closes(told):
    live = told("live")
    assert [event["type"] for event in live["events"]] == TALK
    assert {event["task"] for event in live["events"]} == {live["id"]}
    assert [event["data"] for event in live["events"] if event["type"] == "chunk"] == ["answer to\n", "tell me\n"]
    assert live["events"][0]["status"] == "pending"
    assert live["events"][1]["status"] == "executing"
    assert live["events"][-1]["status"] == "completed"


def test_tasks_in_a_stream_are_read_as_tasks(told):
    whole = [event for event in told("live")["events"] if event["type"].startswith("task_")]
    assert {event["data"] for event in whole} == {"Task"}


def test_the_async_stream_tells_events_as_they_come(told):
    if told.colour == "async":
        events = told("live")["events"]
        assert events[-1]["at"] - events[0]["at"] > 0.4


def test_the_stream_of_an_ended_task_is_told_again(told):
    def untimed(events):
        return [(event["type"], event["status"], event["data"]) for event in events]

    assert untimed(told("replayed")["events"]) == untimed(told("live")["events"])


def test_an_agents_usage_is_on_the_task(told):
    assert part(told("talked")["task"]["tokens"], ["completion_tokens", "prompt_tokens"]) == {
        "completion_tokens": 5,
        "prompt_tokens": 8,
    }


def test_the_activity_log_is_read_as_what_it_is(told):
    activity = told("activity")
    assert activity["kind"] == "AgentActivityThread"
    assert [kind.removeprefix("AgentActivityThread") for kind in activity["kinds"]] == [
        "Message",
        "Reasoning",
        "ToolCall",
        "Message",
    ]
    assert roles(activity["log"]) == [("user", "tell me"), ("agent", "answer to\ntell me")]
    assert activity["log"]["messages"][2]["result"] == "found"


def test_an_ended_task_is_continued_under_its_id(told, engine):
    for line in told.all("continued"):
        assert line["task"]["id"] == line["first"]
        assert part(line["task"], ["status", "result", "finished_at"]) == {
            "status": "pending",
            "result": None,
            "finished_at": None,
        }
    ended = [line["task"] for line in told.all("continued to its end")]
    assert [task["result"] for task in ended] == ["answer to\nsecond", "answer to\nthird"]
    assert [task["input"]["text"] for task in ended] == ["second", "third"]
    assert engine.task(ended[0]["id"])["result"] == "answer to\nthird"
    assert len({task["created_at"] for task in ended}) == 1


def test_the_stream_of_a_continued_task_ends_with_its_last_turn(told):
    for line in told.all("continued to its end"):
        assert line["events"][-1]["type"] == "task_finished"
        said = [event["data"] for event in line["events"] if event["type"] == "chunk"]
        assert said[-1] == line["task"]["input"]["text"] + "\n"


def test_a_continued_task_keeps_its_thread(told):
    turns = ["first", "second", "third"]
    said = [message for turn in turns for message in (("user", turn), ("agent", f"answer to\n{turn}"))]
    assert roles(told("activity of all turns")["log"]) == said


def test_a_continued_task_is_listed_once(told):
    assert told("listed after continuing")["ids"].count(told.all("continued")[0]["first"]) == 1


def test_reported_metrics_are_on_the_task(told, engine):
    measured = told("measured")["task"]
    for task in (measured, engine.task(measured["id"])):
        tokens = part(task["tokens"], ["completion_tokens", "prompt_tokens"])
        assert tokens == {"completion_tokens": 11, "prompt_tokens": 31}
    assert part(measured, ["status", "result"]) == {"status": "completed", "result": "measured"}


def test_a_task_that_was_done_elsewhere_is_recorded(told):
    reported = told("reported")["task"]
    assert part(reported, ["agent_id", "status", "result", "duration", "used_tools"]) == {
        "agent_id": "echo",
        "status": "completed",
        "result": "done elsewhere",
        "duration": 1.5,
        "used_tools": ["search"],
    }
    assert reported["input"]["text"] == "asked elsewhere"
    assert part(reported["tokens"], ["completion_tokens", "prompt_tokens"]) == {
        "completion_tokens": 2,
        "prompt_tokens": 5,
    }


def test_a_second_report_updates_the_first(told, engine):
    first, second = told("reported")["task"], told("reported again")["task"]
    assert second["id"] == first["id"]
    assert second["status"] in {"failed", "error"}
    assert engine.task(first["id"])["result"] == "then failed"


def test_no_secret_is_left_when_the_tasks_have_ended(told, engine):
    ended = engine.task(told("created")["task"]["id"])
    assert part(ended, SECRETS) == dict.fromkeys(SECRETS)
    secrets = [KEY, "oidc-secret-2f61", "token-secret-90c1", "mcp-secret-77aa"]
    found = [
        (path.name, secret) for path, kept in engine.written().items() for secret in secrets if secret.encode() in kept
    ]
    assert not found
