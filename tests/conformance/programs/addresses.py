"""Reaches the engine with every kind of call by each `<base URL> <organization, or ->` of the command line."""

import sys

from carrying import carry, tell, until
from xpander_sdk import Agents, Configuration, Tasks


def program():
    """Go through all addresses."""
    for place in range(2, len(sys.argv), 2):
        base_url, organization = sys.argv[place : place + 2]
        configuration = Configuration(base_url=base_url, organization_id=None if organization == "-" else organization)
        tasks = Tasks(configuration=configuration)
        task = yield tasks, "create", {"agent_id": "echo", "prompt": "hello", "events_streaming": True}
        events = yield task, "events", {}
        task = yield from until(tasks, task)
        log = yield task, "get_activity_log", {}
        listed = yield tasks, "list", {"agent_id": "echo"}
        agent = yield Agents(configuration=configuration), "get", {"agent_id": "echo"}
        tell(
            "reached",
            address=[base_url, organization],
            result=task.result,
            organization=task.organization_id,
            events=[event["type"] for event in events],
            messages=len(log.messages),
            listed=task.id in [item.id for item in listed],
            agent=agent.id,
        )
    tell("end")


carry(program())
