"""A scripted remote that is asked without sockets, in virtual time, and the list of all that was asked to change it.

What becomes of a run is drawn from its prompt, and from how many there were of it before: so it is the same in every
copy of a world.
"""

import asyncio
import json
import re
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlencode, urlsplit

from fault_server import Received, http
from scripted_remote import ScriptedRemote

JSON_ANSWER = {"status": "completed", "result": '{"zeta": 2, "alpha": 1}'}
LIVES = (
    *[["completed"]] * 4,
    ["executing", "completed"],
    ["pending", "executing", "executing", "completed"],
    ["executing"],
    ["executing"],
    ["executing"],
    ["pending"],
    ["failed"],
    ["executing", "failed"],
    ["error"],
    ["paused"],
    ["stopped"],
)
WRITING = frozenset({"POST", "DELETE", "PATCH", "PUT"})
_MARKER = re.compile(r" ?\[ts1\.[^.]*\.(?P<owner>[0-9a-f]{12})\.[^.]*\.g(?P<generation>\d+)\.(?P<nonce>[^.\]]+)\]$")


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One request that changes something. Of a create: whose, which generation, and the body without its marker."""

    method: str
    path: str
    body: str = ""
    owner: str = ""
    generation: int = 0
    nonce: str = ""

    @property
    def essence(self):
        """Return what it asks for, whoever sends it, and in whichever attempt."""
        return (self.method, self.path, self.owner, self.generation, self.body)


def sent_of(method, path, content):
    """Return a request as what it asks for."""
    if method not in {"POST", "PATCH"}:
        return Sent(method=method, path=path)
    body = json.loads(content)
    found = _MARKER.search(body["title"])
    assert found, f"a title without a marker: {body['title']!r}"
    body["title"] = body["title"][: found.start()]
    said = {"owner": found["owner"], "generation": int(found["generation"]), "nonce": found["nonce"]}
    return Sent(method=method, path=path, body=json.dumps(body), **said)


@dataclass
class PlayedRemote(ScriptedRemote):
    """`agents` are those that it lists; `unreadable` runs answer with a status, whatever is asked of them."""

    seed: int = 0
    agents: list = field(default_factory=lambda: ["writer", "editor"])
    unreadable: dict = field(default_factory=dict)
    sent: list = field(default_factory=list)

    async def answer(self, request, now):
        """Take a request of the client, and return its status and its body; None where the connection is cut."""
        self.clock.time = now
        path = request.path if not request.query else f"{request.path}?{urlencode(request.query)}"
        if request.method in WRITING:
            self.sent.append(sent_of(request.method, request.path, request.content))
        heard = _Heard()
        received = Received(request.method, path, dict(request.headers), request.content or b"", 0)
        await self._behave(received, heard)
        return heard.answer

    async def _behave(self, request, writer):
        parts = urlsplit(request.target).path.split("/")[1:]
        if parts == ["agents", "list"] and self.accepts_key:
            writer.write(http(200, [{"id": agent, "name": agent, "status": "ACTIVE"} for agent in self.agents]))
        elif len(parts) > 1 and parts[1] in self.unreadable:
            writer.write(http(self.unreadable[parts[1]], {"detail": "trouble"}))
        else:
            await super()._behave(request, writer)

    def _apply(self, agent, request, key, after):
        run = super()._apply(agent, request, key, after)
        prompt = run.body["input"]["text"]
        if prompt not in self.scripts:
            before = sum(one.body["input"]["text"] == prompt for one in self.runs.values())
            run.steps = list(Random(f"{self.seed}:{prompt}:{before}").choice(LIVES))
            if "JSON" in prompt:
                run.steps = [JSON_ANSWER if step == "completed" else step for step in run.steps]
        return run


class _Heard:
    """What a server writes, taken apart."""

    def __init__(self):
        self.answer = None

    def write(self, content):
        head, _, body = content.partition(b"\r\n\r\n")
        self.answer = int(head.split(b" ")[1]), body

    def close(self):
        self.answer = None


class PlayedPool:
    """The way to a played remote, in the place of the pool of sockets; `process` is told each step, and may die in it.

    Everything above it is the real client.
    """

    def __init__(self, dial, process):
        self._dial = dial
        self._process = process

    async def exchange(self, request, left):
        writes = request.method in WRITING
        if writes:
            self._process.step()
        await asyncio.sleep(0.01)
        answer = await self._process.world.remote.answer(request, self._process.now())
        if writes:
            self._process.step()
        if answer is None:
            raise self._dial.broken(request, ConnectionResetError("cut"))
        return self._dial.received(request, answer[0], [("content-type", "application/json")], answer[1], 0.0)

    async def aclose(self):
        """Close nothing."""
