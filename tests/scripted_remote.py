"""A remote that speaks the task API and does what a script says: it loses answers, applies late, lists late, pauses.

It shares nothing with the engine or the client. Its runs live as long as the object, whichever server shows them.
"""

import asyncio
import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from fault_server import FaultServer, http

ACTIVE = {"pending", "executing", "paused"}


@dataclass
class Clock:
    """Seconds that pass only while somebody sleeps by it; `ticks` lets them pass with every look at the clock too."""

    time: float = 1_700_000_000.0
    tick: float = 0.0

    def now(self):
        self.time += self.tick
        return self.time

    async def sleep(self, seconds):
        self.time += seconds
        await asyncio.sleep(0)


@dataclass
class Run:
    """One run; `steps` are the statuses (or whole answers) that look after look shows, the last one for ever."""

    id: str
    agent: str
    body: dict
    key: str | None
    applies_at: float
    listed_at: float
    steps: list
    headers: dict

    @property
    def marker(self):
        return re.search(r"\[ts1\.[^\]]*\]$", self.body["title"])[0]

    def look(self):
        step = self.steps[0]
        if len(self.steps) > 1:
            self.steps.pop(0)
        return step

    def row(self, step):
        shown = {"id": self.id, "agent_id": self.agent, "organization_id": "o", "title": self.body["title"]}
        shown |= {"input": self.body["input"], "created_at": self.applies_at, "status": step}
        if step == "completed":
            shown |= {"result": f"answer to {self.body['input']['text']}"}
        return shown | (step if isinstance(step, dict) else {})


@dataclass
class ScriptedRemote:
    """What it does with creates, in their order, is in `sends`; when that is used up, it answers them.

    `answer` · `drop` (apply, cut the connection) · `lose` (cut it, apply nothing) · `late` (cut it, apply `lateness`
    seconds later) · `hang` · `nonsense` (apply, answer something that is no task) · `apply-503` · `twice` (apply two,
    answer the second run) · `drop-twice` (apply two, cut the connection) · `another` (apply, answer with the first run
    of all) · a status.
    """

    clock: Clock = field(default_factory=Clock)
    sends: list = field(default_factory=list)
    scripts: dict = field(default_factory=dict)
    """The steps of the runs of a prompt, one list for each run in their order; default: completed at once."""
    stops: list = field(default_factory=lambda: ["stopped"])
    """The steps of a run after it was asked to stop."""
    honours_keys: bool = False
    keeps_titles: bool = True
    accepts_key: bool = True
    lists: bool = True
    list_lag: float = 0.0
    lateness: float = 0.0
    retry_after: int | None = None
    says: dict = field(default_factory=dict)
    """What the stream of the runs of a prompt holds: events as `(type, data)`; no other run has a stream."""
    before_answering: object = None
    """Is told each create before anything is done about it."""
    runs: dict = field(default_factory=dict)
    files: dict = field(default_factory=dict)
    asked: Counter = field(default_factory=Counter)
    most_at_once: int = 0

    def listening(self):
        return FaultServer(self._behave).listening()

    def started(self, prompt):
        """Return the runs of a prompt that are or will be there."""
        return [run for run in self.runs.values() if run.body["input"]["text"] == prompt]

    def _words_of(self, run):
        return self.says.get(self.runs[run].body["input"]["text"], ())

    async def _behave(self, request, writer):
        target = urlsplit(request.target)
        self.asked[request.method] += 1
        if not self.accepts_key:
            writer.write(http(401, {"detail": "no such key"}))
            return
        match request.method, target.path.split("/")[1:]:
            case "POST", ["agent-execution", agent]:
                await self._create(agent, request, writer)
            case "GET", ["agent-execution", "executions", "history", agent]:
                self._list(agent, parse_qs(target.query).get("status", [None])[0], writer)
            case "GET", ["agent-execution", run, "status"]:
                self._show(run, writer)
            case "GET", ["None", "agent-execution", run, "events"] if self._words_of(run):
                self.asked["streams"] += 1
                told = [{"type": kind, "task_id": run, "data": data} for kind, data in self._words_of(run)]
                text = "".join(f"data: {json.dumps(event)}\n\n" for event in told)
                writer.write(http(200, text.encode(), "text/event-stream"))
            case "DELETE", ["agent-execution", run]:
                self._stop(run, writer)
            case "PATCH", ["agent-execution", run, "update"]:
                if self.keeps_titles:
                    self.runs[run].body |= json.loads(request.body)
                writer.write(http(200, self.runs[run].row("completed")))
            case "GET", ["agents", "list"]:
                writer.write(http(200, [{"id": "writer", "name": "writer", "status": "ACTIVE"}]))
            case "HEAD" | "PUT", ["files", digest]:
                self._file(digest, request, writer)
            case _:
                writer.write(http(404, {"detail": "no such path"}))

    async def _create(self, agent, request, writer):
        if self.before_answering is not None:
            await self.before_answering(request)
        key = request.headers.get("idempotency-key")
        kept = next((run for run in self.runs.values() if run.key == key), None) if self.honours_keys else None
        send = self.sends.pop(0) if self.sends else "answer"
        if kept is not None and send == "answer":
            same = json.loads(request.body) == kept.body
            kept.applies_at = min(kept.applies_at, self.clock.time)
            writer.write(http(200, kept.row("pending")) if same else http(409, {"detail": "another body"}))
            return
        run = None
        if send in {"twice", "drop-twice"}:
            self._apply(agent, request, key, 0.0)
        applied = {"answer", "drop", "late", "nonsense", "apply-503", "twice", "drop-twice", "another"}
        if kept is None and send in applied:
            run = self._apply(agent, request, key, self.lateness if send == "late" else 0.0)
        match send:
            case "answer" | "twice":
                writer.write(http(200, run.row("pending")))
            case "another":
                writer.write(http(200, next(iter(self.runs.values())).row("pending")))
            case "apply-503":
                writer.write(http(503, {"detail": "try later"}))
            case "nonsense":
                writer.write(http(200, {"hello": "world"}))
            case "hang":
                await asyncio.sleep(3600)
            case int():
                wait = {} if self.retry_after is None else {"retry_after": self.retry_after}
                writer.write(http(send, {"detail": "no"}, **wait))
            case _:
                writer.close()

    def _apply(self, agent, request, key, after):
        body = json.loads(request.body)
        scripts = self.scripts.get(body["input"]["text"], [])
        applies_at = self.clock.time + after
        run = Run(
            id=f"run-{len(self.runs) + 1}",
            agent=agent,
            body=body,
            key=key,
            applies_at=applies_at,
            listed_at=applies_at + self.list_lag,
            steps=list(scripts.pop(0)) if scripts else ["completed"],
            headers=request.headers,
        )
        self.runs[run.id] = run
        active = [r for r in self.runs.values() if isinstance(r.steps[0], str) and r.steps[0] in ACTIVE]
        self.most_at_once = max(self.most_at_once, len(active))
        return run

    def _list(self, agent, status, writer):
        if not self.lists:
            writer.write(http(500, {"detail": "no lists today"}))
            return
        shown = [r for r in self.runs.values() if r.agent == agent and r.listed_at <= self.clock.time]
        rows = [run.row(run.look()) for run in shown]
        writer.write(http(200, [row for row in rows if status in (None, row["status"])]))

    def _show(self, run, writer):
        found = self.runs.get(run)
        step = found.look() if found and found.applies_at <= self.clock.time else 404
        if isinstance(step, int):
            writer.write(http(step, {"detail": "no"}))
        else:
            writer.write(http(200, found.row(step)))

    def _stop(self, run, writer):
        found = self.runs.get(run)
        if found is None or self.stops == [404]:
            if found is not None:
                found.steps = [404]
            writer.write(http(404, {"detail": "no such task"}))
            return
        step = found.steps[0]
        if (step["status"] if isinstance(step, dict) else step) in {*ACTIVE, "error"}:
            found.steps = list(self.stops)
        writer.write(http(200, found.row(found.look())))

    def _file(self, digest, request, writer):
        if request.method == "PUT":
            assert hashlib.sha256(request.body).hexdigest() == digest
            self.files[digest] = request.body
        if digest in self.files:
            writer.write(http(200, {"sha256": digest}) if request.method == "PUT" else http(200))
        elif request.method == "HEAD":
            writer.write(http(404))
