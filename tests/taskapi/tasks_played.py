"""A client whose requests are answered by a list, in both colours; no server, no socket."""

import asyncio
import inspect
import json
from types import SimpleNamespace

from taskspec import Configuration
from taskspec.taskapi.messages import Request, Response
from taskspec.taskapi.tasks.sessions import Session

KEY = "a-secret-key-of-32-characters-00"
WIRE = {
    "id": "t1",
    "agent_id": "a1",
    "organization_id": "o1",
    "status": "pending",
    "input": {"text": "p", "files": [], "attachments": [], "user": None, "principal": None},
    "created_at": "2026-01-01T00:00:00Z",
    "title": "old",
    "result": None,
    "source": "sdk",
}


def configuration(**changes):
    return Configuration(**{"api_key": KEY, "base_url": "http://127.0.0.1:1", "organization_id": "o1", **changes})


def answered(body, status=200):
    return Response(status=status, headers={"content-type": "application/json"}, content=json.dumps(body).encode())


class PlayedSession(Session):
    """Answers each request with the next of `answers` (JSON, a response, or an exception) and keeps the requests."""

    def __init__(self, *answers, **changes):
        super().__init__(configuration(**changes))
        self.answers = list(answers)
        self.requests = []

    def run(self, call):
        try:
            step = next(call)
            while True:
                if not isinstance(step, Request):
                    step = call.send(None)
                    continue
                self.requests.append(step)
                answer = self.answers.pop(0)
                if isinstance(answer, Exception):
                    step = call.throw(answer)
                else:
                    step = call.send(answer if isinstance(answer, Response) else answered(answer))
        except StopIteration as end:
            return end.value

    async def arun(self, call):
        return self.run(call)

    @property
    def sent(self):
        """The JSON bodies of the requests."""
        return [None if request.content is None else json.loads(request.content) for request in self.requests]

    @property
    def said(self):
        return [(request.method, request.path) for request in self.requests]


class Colour:
    """Calls a method by its name in one colour."""

    def __init__(self, prefix):
        self.prefix = prefix

    def __call__(self, thing, name, *args, **kwargs):
        value = getattr(thing, self.prefix + name)(*args, **kwargs)
        return asyncio.run(_awaited(value)) if inspect.isawaitable(value) else value

    def events(self, task):
        if not self.prefix:
            return list(task.events())

        async def told():
            return [event async for event in task.aevents()]

        return asyncio.run(told())


async def _awaited(value):
    return await value


BLOCKING, WAITING = Colour(""), Colour("a")


def client(kind, *answers, **changes):
    """Return a client of a kind, and the session that answers for it."""
    made = kind(configuration(**changes))
    made._session = PlayedSession(*answers, **changes)
    return SimpleNamespace(client=made, session=made._session)
