"""What the simulated remote holds: runs that come, live and end by the clock alone. Knows no faults and no client."""

import json
import re
from dataclasses import dataclass, field

NEVER = float("inf")
_MARKER = re.compile(r"\[ts1\.[^.]*\.(?P<owner>[^.]*)\.[^.]*\.g(?P<generation>\d+)\.(?P<nonce>[0-9a-z]+)\]$")


@dataclass(slots=True)
class Life:
    """How a run goes: seconds until it begins and until it ends, how it ends (`paused` for ever too), its answer."""

    queued: float = 1.0
    works: float = 6.0
    ends: str = "completed"
    empty: bool = False
    passes: float | None = None
    """An `error` passes after so many seconds, and the run completes."""


@dataclass(slots=True)
class Run:
    id: str
    agent: str
    body: dict
    key: str
    life: Life
    applies_at: float
    stopped_at: float = NEVER
    titles: list = field(default_factory=list)

    @property
    def title(self):
        return self.titles[-1] if self.titles else self.body["title"]

    @property
    def nonce(self):
        return self._marked("nonce")

    @property
    def owner(self):
        """Return the hash of the address that asked for it."""
        return self._marked("owner")

    @property
    def generation(self):
        return int(self._marked("generation"))

    def _marked(self, part):
        found = _MARKER.search(self.body["title"])
        assert found, f"a title without a marker: {self.title!r}"
        return found[part]

    @property
    def prompt(self):
        return self.body["input"]["text"]

    @property
    def answer(self):
        return f"answer to {self.prompt}"

    def status(self, now):
        life = self.life
        begins = self.applies_at + life.queued
        ends = begins + life.works
        again = ends if life.passes is None else ends + life.passes
        if self.stopped_at < self._over and now >= self.stopped_at:
            return "stopped"
        if now < begins:
            return "pending"
        if now < ends:
            return "executing"
        if life.passes is None or now < again:
            return life.ends
        return "executing" if now < self._over else "completed"

    @property
    def _passes_at(self):
        """Return when an error passes, and it goes on."""
        life = self.life
        return NEVER if life.passes is None else self.applies_at + life.queued + life.works + life.passes

    @property
    def _over(self):
        """Return when it ends for good, unless somebody stops it."""
        life = self.life
        if life.ends == "paused":
            return NEVER
        return self.applies_at + life.queued + life.works + (0.0 if life.passes is None else life.passes + 3.0)

    def is_over(self, now):
        """Tell whether it does nothing any more, and never will: so it is in an error that a stop is to end."""
        is_ending = self.status(now) == "error" and self.stopped_at <= self._passes_at
        return self.applies_at <= now and (now >= self.stopped_at or now >= self._over or is_ending)

    def row(self, now):
        status = self.status(now)
        shown = {"id": self.id, "agent_id": self.agent, "organization_id": "o", "title": self.title, "status": status}
        shown |= {"created_at": self.applies_at, "input": self.body["input"]}
        if status == "completed":
            shown["result"] = "" if self.life.empty else self.answer
        return shown


class Runs:
    """Every run that was ever asked for and is or will be there, and the agent's lists of them, which lag."""

    def __init__(self, *, honours_keys: bool, lag: float) -> None:
        self.honours_keys = honours_keys
        self.lag = lag
        self.runs: dict[str, Run] = {}
        self.keys: dict[str, Run] = {}

    def apply(self, agent: str, content: bytes, key: str, at: float, life: Life) -> tuple[Run, bool]:
        """Take a create that arrives at a moment; return its run, and whether that is a new one."""
        body = json.loads(content)
        kept = self.keys.get(key) if self.honours_keys else None
        if kept is not None:
            kept.applies_at = min(kept.applies_at, at)
            return kept, False
        run = Run(f"run-{len(self.runs) + 1}", agent, body, key, life, at)
        self.runs[run.id] = run
        self.keys.setdefault(key, run)
        return run, True

    def find(self, run: str, now: float) -> Run | None:
        found = self.runs.get(run)
        return found if found is not None and found.applies_at <= now else None

    def listed(self, agent: str, status: str | None, now: float) -> list[dict]:
        """Return the rows of an agent as they were `lag` seconds ago, newest first."""
        then = now - self.lag
        rows = [run.row(then) for run in self.runs.values() if run.agent == agent and run.applies_at <= then]
        return [row for row in reversed(rows) if status in (None, row["status"])]

    def active(self, now: float) -> list[Run]:
        """Return what is at work, or will be."""
        at_work = {"pending", "executing", "paused"}
        return [run for run in self.runs.values() if run.applies_at > now or run.status(now) in at_work]
