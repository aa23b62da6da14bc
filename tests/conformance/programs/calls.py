"""Makes every call of the vendor's Tasks, Task, TasksListItem and Agents once, and tells what came of it."""

import inspect
import traceback

from carrying import carry, shown, tell, until
from xpander_sdk import (
    AgentExecutionStatus,
    Agents,
    Configuration,
    MCPServerDetails,
    OutputFormat,
    Task,
    Tasks,
    Tokens,
    User,
)
from xpander_sdk.models.shared import ThinkMode
from xpander_sdk.modules.agents.models.agent import LLMReasoningEffort

CONFIGURATION = Configuration()
TASKS = Tasks(configuration=CONFIGURATION)
KNOWN = inspect.signature(Tasks.acreate).parameters
EVERYTHING = {
    "prompt": "every parameter",
    "file_urls": ["https://files.example/report.csv"],
    "user_details": User(
        id="ada-1",
        email="ada@example.org",
        first_name="Ada",
        additional_attributes={"team": "x"},
        timezone="Asia/Tokyo",
    ),
    "agent_version": "3",
    "tool_call_payload_extension": {"taskspec": {"name": "all", "nested": [1, {"two": None}]}},
    "source": "conformance",
    "worker_id": None,
    "run_locally": False,
    "output_format": OutputFormat.Json,
    "output_schema": {"type": "object", "properties": {"a": {"type": "integer"}}},
    "events_streaming": True,
    "additional_context": "the context",
    "instructions_override": "the instructions",
    "test_run_node_id": "node-1",
    "user_oidc_token": "oidc-secret-2f61",
    "expected_output": "the expected output",
    "mcp_servers": [
        MCPServerDetails(name="m", url="https://mcp.example", headers={"Authorization": "mcp-secret-77aa"})
    ],
    "triggering_agent_id": "other-agent",
    "title": "A title",
    "think_mode": ThinkMode.Harder,
    "disable_attachment_injection": True,
    "return_metrics": True,
    "user_tokens": {"service": "token-secret-90c1"},
    "llm_model_provider": "anthropic",
    "llm_model_name": "a-model",
    "llm_reasoning_effort": LLMReasoningEffort.High,
    "harness_cli": "claude-code",
    "tool_call_limit": 7,
    "permission_mode": "gated",
}


def everything():
    """Return all arguments of create that this version knows, as its types want them."""
    known = {name: value for name, value in EVERYTHING.items() if name in KNOWN}
    if "principal" in KNOWN:
        from xpander_sdk import Principal, PrincipalKind

        known["principal"] = Principal(kind=PrincipalKind.user, id="ada-1", email="ada@example.org", display_name="Ada")
    if "attachments" in KNOWN:
        known["attachments"] = [{"url": "https://files.example/a.png", "name": "a.png", "mime": "image/png", "size": 3}]
    return known


def agents():
    """List the agents, get one, and give it a task."""
    listed = yield Agents(configuration=CONFIGURATION), "list", {}
    tell("agents", ids=[agent.id for agent in listed], names=[agent.name for agent in listed])
    agent = yield Agents(configuration=CONFIGURATION), "get", {"agent_id": "echo"}
    tell("agent", id=agent.id, name=agent.name, organization=agent.organization_id)
    versioned = yield Agents(configuration=CONFIGURATION), "get", {"agent_id": "echo", "version": 2}
    tell("agent of a version", id=versioned.id, version=versioned.version)
    task = yield agent, "create_task", {"prompt": "by its agent"}
    task = yield from until(TASKS, task)
    tell("task of an agent", task=shown(task))


def creation():
    """Create with every parameter, and find the task again in both lists."""
    created = yield TASKS, "create", {"agent_id": "echo", **everything()}
    tell("created", task=shown(created), parameters=sorted(everything()))
    done = yield from until(TASKS, created)
    tell("done", task=shown(done))
    for filters in (
        None,
        {"status": "completed"},
        {"status": AgentExecutionStatus.Completed},
        {"status": "paused"},
        {"user_id": "ada-1"},
        {"user_id": "nobody"},
        {"triggering_agent_id": "other-agent", "status": "completed"},
        {"parent_task_id": "none"},
        {"internal_status": "none"},
    ):
        listed = yield TASKS, "list", {"agent_id": "echo", "filters": filters}
        tell("listed", filters=str(filters), ids=[item.id for item in listed])
    listed = yield TASKS, "list_user_tasks", {"user_id": "ada-1", "filters": {"status": "completed"}}
    tell("listed of a user", items=[shown(item) for item in listed])
    loaded = yield listed[0], "load", {"configuration": CONFIGURATION}
    tell("loaded", task=shown(loaded), is_task=isinstance(loaded, Task))
    loaded = yield Task, "load", {"task_id": done.id, "configuration": CONFIGURATION}
    tell("loaded by id", id=loaded.id)


def changes():
    """Change an ended task in each way that there is."""
    task = yield TASKS, "create", {"agent_id": "echo", "prompt": "to be changed"}
    tell("to be changed", task=shown(task))
    yield from until(TASKS, task)
    updated = yield (
        TASKS,
        "update",
        {
            "task_id": task.id,
            "tool_call_payload_extension": {"more": 1},
            "source": "elsewhere",
            "last_executed_node_id": "node-9",
            "result": "written by hand",
        },
    )
    tell("updated", task=shown(updated))
    nothing = yield TASKS, "update", {"task_id": task.id}
    tell("updated by nothing", task=shown(nothing))
    yield updated, "reload", {}
    updated.title = "Renamed"
    updated.internal_status = "half way"
    updated.additional_context = "new context"
    yield updated, "save", {}
    tell("saved", task=shown(updated))
    again = yield Task, "load", {"task_id": task.id, "configuration": CONFIGURATION}
    again.deep_planning.enabled = True
    yield again, "save", {"with_deep_plan_update": True}
    tell("saved with its plan", task=shown(again))
    yield again, "set_status", {"status": AgentExecutionStatus.Failed, "result": "failed by hand"}
    tell("set", task=shown(again))
    yield updated, "reload", {}
    tell("reloaded", task=shown(updated))
    listed = yield TASKS, "list", {"agent_id": "echo", "filters": {"internal_status": "half way"}}
    tell("listed by internal status", ids=[item.id for item in listed])


def stops():
    """Stop a running task by its id and by itself, and once more after its end."""
    first = yield TASKS, "create", {"agent_id": "slow", "prompt": "x"}
    second = yield TASKS, "create", {"agent_id": "slow", "prompt": "y"}
    yield from until(TASKS, first, "executing")
    second = yield from until(TASKS, second, "executing")
    stopped = yield TASKS, "stop", {"task_id": first.id}
    tell("stopped", task=shown(stopped))
    stopped_again = yield TASKS, "stop", {"task_id": first.id}
    tell("stopped again", task=shown(stopped_again))
    yield second, "stop", {}
    tell("stopped by itself", task=shown(second))
    second.title = "late"
    second.status = AgentExecutionStatus.Completed
    second.result = "late"
    yield second, "save", {}
    tell("saved after its stop", task=shown(second))


def streams():
    """Follow a task that talks for a while, and read its stream again after its end."""
    task = yield TASKS, "create", {"agent_id": "talker", "prompt": "tell me", "events_streaming": True}
    live = yield task, "events", {}
    tell("live", id=task.id, events=live)
    replayed = yield task, "events", {}
    tell("replayed", id=task.id, events=replayed)
    yield task, "reload", {}
    tell("talked", task=shown(task))
    log = yield task, "get_activity_log", {}
    tell(
        "activity", kind=type(log).__name__, log=shown(log), kinds=[type(message).__name__ for message in log.messages]
    )


def continuation():
    """Continue an ended task twice."""
    task = yield TASKS, "create", {"agent_id": "talker", "prompt": "first", "events_streaming": True}
    done = yield from until(TASKS, task)
    for prompt in ("second", "third"):
        again = yield (
            TASKS,
            "create",
            {"agent_id": "talker", "existing_task_id": done.id, "prompt": prompt, "events_streaming": True},
        )
        tell("continued", first=task.id, task=shown(again))
        events = yield again, "events", {}
        ended = yield from until(TASKS, again)
        tell("continued to its end", task=shown(ended), events=events)
    log = yield ended, "get_activity_log", {}
    tell("activity of all turns", log=shown(log))
    listed = yield TASKS, "list", {"agent_id": "talker"}
    tell("listed after continuing", ids=[item.id for item in listed])


def reports():
    """Report metrics, and a task that was done elsewhere, twice."""
    task = yield TASKS, "create", {"agent_id": "echo", "prompt": "measured"}
    task = yield from until(TASKS, task)
    task.tokens = Tokens(completion_tokens=11, prompt_tokens=31)
    yield task, "report_metrics", {"configuration": CONFIGURATION}
    yield task, "reload", {}
    tell("measured", task=shown(task))
    report = {
        "configuration": CONFIGURATION,
        "agent_id": "echo",
        "input": "asked elsewhere",
        "llm_response": {"choices": [{"text": "done elsewhere"}]},
        "tokens": Tokens(completion_tokens=2, prompt_tokens=5),
        "is_success": True,
        "result": "done elsewhere",
        "duration": 1.5,
        "used_tools": ["search"],
    }
    reported = yield Task, "report_external_task", report
    tell("reported", task=shown(reported))
    own = yield (
        Task,
        "report_external_task",
        {**report, "id": reported.id, "is_success": False, "result": "then failed"},
    )
    tell("reported again", task=shown(own))


def program():
    """Go through everything; what breaks in one part is told, and the next one is taken."""
    for part in (agents, creation, changes, stops, streams, continuation, reports):
        try:
            yield from part()
        except Exception:  # noqa: BLE001 - told, and the tests fail by it
            tell("broken", part=part.__name__, trace=traceback.format_exc())
    tell("end")


carry(program())
