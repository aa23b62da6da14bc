"""Carries out a program's calls with the vendor's SDK, in the colour that the command line names; knows no call itself.

A program is a generator. It yields `(thing, method, arguments)` and is sent what the method returned, or is thrown what
it raised. In the blocking colour `thing.method` is called, in the async one `thing.amethod` is awaited.
"""

import asyncio
import json
import sys
import time

ENDED = {"completed", "failed", "error", "stopped"}
PATIENCE = 100.0
TICK = 0.02


def tell(step, **values):
    """Print one line of JSON."""
    print(json.dumps({"step": step, **values}, default=str), flush=True)


def shown(model):
    """Return a model of the SDK as JSON values, without its configuration."""
    return json.loads(model.model_dump_json(exclude={"configuration"}))


def refusal(error):
    """Return what there is to say of an exception."""
    said = {"error": type(error).__name__}
    if hasattr(error, "status_code"):
        said |= {"status": error.status_code, "detail": error.description}
    return said


def told_events(arrivals):
    """Return events with the seconds at which they came."""
    return [
        {
            "type": event.type.value,
            "task": event.task_id,
            "at": at,
            "status": getattr(getattr(event.data, "status", None), "value", None),
            "data": event.data if isinstance(event.data, str | dict) else type(event.data).__name__,
        }
        for at, event in arrivals
    ]


def until(tasks, task, *statuses):
    """Poll a task until it has one of the statuses, or has ended."""
    deadline = time.monotonic() + PATIENCE
    while True:
        task = yield tasks, "get", {"task_id": task.id}
        if task.status.value in (statuses or ENDED):
            return task
        if time.monotonic() > deadline:
            raise TimeoutError(f"{task.id} is still {task.status.value}")
        yield None, "sleep", {}


def trying(thing, method, **arguments):
    """Make a call that is expected to be refused; return the refusal, or None."""
    try:
        yield thing, method, arguments
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        return refusal(error)
    return None


def carry(program):
    """Carry out a program in the colour of the command line."""
    if sys.argv[1] == "async":
        asyncio.run(_carry_async(program))
    else:
        _carry_blocking(program)


def _carry_blocking(program):
    send, value = program.send, None
    while True:
        try:
            thing, method, arguments = send(value)
        except StopIteration:
            return
        send = program.send
        try:
            if thing is None:
                value = time.sleep(TICK)
            elif method == "events":
                began = time.monotonic()
                value = told_events([(time.monotonic() - began, event) for event in thing.events()])
            else:
                value = getattr(thing, method)(**arguments)
        except Exception as error:  # noqa: BLE001 - the program is thrown it
            send, value = program.throw, error


async def _carry_async(program):
    send, value = program.send, None
    while True:
        try:
            thing, method, arguments = send(value)
        except StopIteration:
            return
        send = program.send
        try:
            if thing is None:
                value = await asyncio.sleep(TICK)
            elif method == "events":
                began = time.monotonic()
                value = told_events([(time.monotonic() - began, event) async for event in thing.aevents()])
            else:
                value = await getattr(thing, f"a{method}")(**arguments)
        except Exception as error:  # noqa: BLE001 - the program is thrown it
            send, value = program.throw, error
