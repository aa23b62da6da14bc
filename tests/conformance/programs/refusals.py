"""Makes calls that must be refused, and tells what the vendor's SDK makes of the refusals."""

from carrying import carry, tell, trying, until
from xpander_sdk import Agents, Configuration, Task, Tasks

RIGHT = Configuration()
WRONG = Configuration(api_key="not-the-key")
UNKNOWN = "no-such-task"


def program():
    """Go through all refusals."""
    tasks = Tasks(configuration=RIGHT)
    task = yield tasks, "create", {"agent_id": "echo", "prompt": "x", "events_streaming": True}
    task = yield from until(tasks, task)
    for name, call in {
        "unknown get": (tasks, "get", {"task_id": UNKNOWN}),
        "unknown load": (Task, "load", {"task_id": UNKNOWN, "configuration": RIGHT}),
        "unknown update": (tasks, "update", {"task_id": UNKNOWN, "result": "x"}),
        "unknown stop": (tasks, "stop", {"task_id": UNKNOWN}),
        "unknown continuation": (tasks, "create", {"agent_id": "echo", "existing_task_id": UNKNOWN, "prompt": "x"}),
        "continuation by another agent": (tasks, "create", {"agent_id": "slow", "existing_task_id": task.id}),
        "unknown agent": (tasks, "create", {"agent_id": "no-such-agent", "prompt": "x"}),
        "unknown agent get": (Agents(configuration=RIGHT), "get", {"agent_id": "no-such-agent"}),
        "wrong key create": (Tasks(configuration=WRONG), "create", {"agent_id": "echo", "prompt": "x"}),
        "wrong key get": (Tasks(configuration=WRONG), "get", {"task_id": task.id}),
        "wrong key list": (Tasks(configuration=WRONG), "list", {"agent_id": "echo"}),
        "wrong key stop": (Tasks(configuration=WRONG), "stop", {"task_id": task.id}),
        "wrong key agents": (Agents(configuration=WRONG), "list", {}),
    }.items():
        thing, method, arguments = call
        refused = yield from trying(thing, method, **arguments)
        tell(name, refused=refused)
    running = yield tasks, "create", {"agent_id": "slow", "prompt": "x"}
    running = yield from until(tasks, running, "executing")
    refused = yield from trying(tasks, "create", agent_id="slow", existing_task_id=running.id, prompt="more")
    tell("continuation of a running task", refused=refused, id=running.id)
    yield running, "stop", {}
    task.id = UNKNOWN
    for name, method in (("unknown events", "events"), ("unknown save", "save"), ("unknown reload", "reload")):
        refused = yield from trying(task, method)
        tell(name, refused=refused)
    tell("end")


carry(program())
