"""The vendor's SDK makes every call on tasks and agents, in both colours, and the engine knows the same."""

from datetime import datetime

import psutil
from conformance_stages import part
from patience import until

ENDED_WELL = {"status": "completed", "is_manually_stopped": False}
PASSED = {
    "agent_version": "3",
    "payload_extension": {"taskspec": {"name": "all", "nested": [1, {"two": None}]}},
    "source": "conformance",
    "output_format": "json",
    "output_schema": {"type": "object", "properties": {"a": {"type": "integer"}}},
    "events_streaming": True,
    "additional_context": "the context",
    "instructions_override": "the instructions",
    "test_run_node_id": "node-1",
    "expected_output": "the expected output",
    "triggering_agent_id": "other-agent",
    "title": "A title",
    "think_mode": "harder",
    "disable_attachment_injection": True,
    "return_metrics": True,
    "llm_model_provider": "anthropic",
    "llm_model_name": "a-model",
    "llm_reasoning_effort": "high",
}
PASSED_LATER = {"harness_cli": "claude-code", "tool_call_limit": 7, "permission_mode": "gated"}
SECRETS = {"user_oidc_token": "oidc-secret-2f61", "user_tokens": {"service": "token-secret-90c1"}}


def test_nothing_breaks(told):
    assert not told.broken, "\n".join(broken["trace"] for broken in told.broken)


def test_agents_are_listed_and_got(told):
    assert {"echo", "slow", "talker"} <= set(told("agents")["ids"])
    assert all(told("agents")["names"])
    assert part(told("agent"), ["id", "name"]) == {"id": "echo", "name": "echo"}
    assert told("agent of a version")["id"] == "echo"


def test_an_agent_creates_a_task(told, engine):
    task = told("task of an agent")["task"]
    assert (task["agent_id"], task["source"], task["result"]) == ("echo", "sdk", "by its agent")
    assert part(engine.task(task["id"]), ENDED_WELL) == ENDED_WELL


def test_every_parameter_of_create_arrives_and_comes_back(told, engine):
    created = told("created")["task"]
    passed = PASSED | {name: value for name, value in PASSED_LATER.items() if name in told("created")["parameters"]}
    assert created["status"] == "pending"
    assert part(created, passed) == passed
    assert part(created, SECRETS) == SECRETS
    assert part(engine.task(created["id"]), passed) == passed


def test_the_input_of_create_arrives_and_comes_back(told, engine):
    for asked in (told("created")["task"]["input"], engine.task(told("created")["task"]["id"])["input"]):
        assert (asked["text"], asked["files"]) == ("every parameter", ["https://files.example/report.csv"])
        assert part(asked["user"], ["id", "email", "first_name", "timezone", "additional_attributes"]) == {
            "id": "ada-1",
            "email": "ada@example.org",
            "first_name": "Ada",
            "timezone": "Asia/Tokyo",
            "additional_attributes": {"team": "x"},
        }


def test_later_parts_of_the_input_arrive_where_the_version_has_them(told, engine):
    asked = engine.task(told("created")["task"]["id"])["input"]
    if "principal" in told("created")["parameters"]:
        assert part(asked["principal"], ["kind", "id", "display_name"]) == {
            "kind": "user",
            "id": "ada-1",
            "display_name": "Ada",
        }
    if "attachments" in told("created")["parameters"]:
        assert part(asked["attachments"][0], ["url", "name", "mime", "size"]) == {
            "url": "https://files.example/a.png",
            "name": "a.png",
            "mime": "image/png",
            "size": 3,
        }


def test_servers_of_create_arrive_and_come_back(told, engine):
    for task in (told("created")["task"], engine.task(told("created")["task"]["id"])):
        assert [(server["name"], server["url"]) for server in task["mcp_servers"]] == [("m", "https://mcp.example")]


def test_an_ended_task_has_its_result_and_its_times(told):
    done = told("done")["task"]
    assert part(done, ENDED_WELL) == ENDED_WELL
    assert done["result"] == "every parameter"
    times = [datetime.fromisoformat(done[name]) for name in ("created_at", "started_at", "finished_at")]
    assert times == sorted(times)
    assert done["duration"] > 0


def test_lists_are_filtered(told):
    listed = {line["filters"]: line["ids"] for line in told.all("listed")}
    created = told("created")["task"]["id"]
    with_it = {filters for filters, ids in listed.items() if created in ids}
    assert {filters for filters, ids in listed.items() if not ids} == {
        "{'status': 'paused'}",
        "{'user_id': 'nobody'}",
        "{'parent_task_id': 'none'}",
        "{'internal_status': 'none'}",
    }
    assert with_it == {filters for filters, ids in listed.items() if ids}
    assert len(listed) == 9


def test_lists_have_the_newest_first(told, engine):
    ids = next(line["ids"] for line in told.all("listed") if line["filters"] == "None")
    times = [engine.task(run)["created_at"] for run in ids]
    assert times == sorted(times, reverse=True)


def test_a_listed_task_has_its_summary_and_is_loaded(told):
    created = told("created")["task"]["id"]
    item = next(item for item in told("listed of a user")["items"] if item["id"] == created)
    assert part(item, ["agent_id", "user_id", "triggering_agent_id", "status", "result", "title"]) == {
        "agent_id": "echo",
        "user_id": "ada-1",
        "triggering_agent_id": "other-agent",
        "status": "completed",
        "result": "every parameter",
        "title": "A title",
    }
    assert told("loaded")["is_task"]
    assert told("loaded")["task"]["id"] == told("listed of a user")["items"][0]["id"]
    assert told("loaded by id")["id"] == created


def test_a_sparse_update_changes_what_it_names(told):
    updated = told("updated")["task"]
    assert part(updated, ["source", "last_executed_node_id", "result", "status"]) == {
        "source": "elsewhere",
        "last_executed_node_id": "node-9",
        "result": "written by hand",
        "status": "completed",
    }
    assert updated["payload_extension"]["more"] == 1


def test_an_update_of_nothing_changes_nothing(told):
    assert told("updated by nothing")["task"] == told("updated")["task"]


def test_a_save_keeps_every_change_and_loses_nothing(told, engine):
    saved, updated = told("saved")["task"], told("updated")["task"]
    changed = {"title": "Renamed", "internal_status": "half way", "additional_context": "new context"}
    assert saved == {**updated, **changed}
    assert part(engine.task(saved["id"]), changed) == changed
    assert told("saved with its plan")["task"]["deep_planning"]["enabled"]
    assert engine.task(saved["id"])["deep_planning"]["enabled"]


def test_a_task_is_found_by_the_internal_status_that_was_saved(told):
    assert told("saved")["task"]["id"] in told("listed by internal status")["ids"]


def test_a_status_is_set_with_its_result(told, engine):
    expected = {"status": "failed", "result": "failed by hand"}
    task = told("set")["task"]
    for seen in (task, told("reloaded")["task"], engine.task(task["id"])):
        assert part(seen, expected) == expected


def test_what_a_task_is_does_not_change_by_a_save(told):
    identity = ["id", "agent_id", "organization_id", "created_at"]
    tasks = [told(step)["task"] for step in ("to be changed", "updated", "saved", "set", "reloaded")]
    assert all(part(task, identity) == part(tasks[0], identity) for task in tasks)


def test_a_stop_ends_the_agent(told, engine):
    for step in ("stopped", "stopped by itself"):
        task = told(step)["task"]
        assert part(task, ["status", "is_manually_stopped"]) == {"status": "stopped", "is_manually_stopped": True}
        assert task["finished_at"]
        pid = int((engine.folder / f"pid-{task['id']}").read_text())
        until(lambda pid=pid: not psutil.pid_exists(pid))


def test_a_second_stop_changes_nothing(told):
    assert told("stopped again")["task"] == told("stopped")["task"]


def test_a_save_does_not_undo_a_stop(told, engine):
    saved = told("saved after its stop")["task"]
    for task in (saved, engine.task(saved["id"])):
        assert part(task, ["status", "is_manually_stopped"]) == {"status": "stopped", "is_manually_stopped": True}
        assert task["title"] == "late"
