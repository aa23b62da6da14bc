"""Saved plans, kept in memory: made by the real `plan --out`, and what may become of them. Carries none out.

What is declared is handed on as it was when the plan was made; a request that no file holds is empty, as in a file.
"""

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from commanding import PROJECT
from ledger import require

from taskspec.cli.failing import exit_code
from taskspec.desired.model import DesiredTask
from taskspec.errors import TaskspecError
from taskspec.plan.decoding import plan_of
from taskspec.plan.filing import read
from taskspec.report.exiting import ExitCode
from taskspec.runner import planning, saved
from taskspec.runner.saved import EXPIRES, SavedPlan


@dataclass(slots=True)
class Saved:
    """The file of a plan, what was declared when it was made, and what is known of it since."""

    tasks: list
    former: dict
    anew: tuple = ()
    """The addresses whose results are to be made anew."""
    lasts: float = EXPIRES
    content: bytes = b""
    sending: frozenset = frozenset()
    """The tasks whose requests it holds: it starts a run of them, or follows one that may earn a further attempt."""
    paid: frozenset = frozenset()
    """The addresses of which it may start runs."""
    plan: str = ""
    expires_at: float = 0.0
    serial: int = 0
    """The state that it was made from; later, the one in which its own last use has left it."""
    is_begun: bool = False
    is_overtaken: bool = field(default=False)
    """Something else has changed the state between."""

    def story(self, invocation):
        """Return the story of `plan --out`, which runs its own loop."""

        def tell(process):
            with _in_memory(self, process):
                try:
                    planning.plan(invocation, process, keep=self._keep(process))
                except TaskspecError as error:
                    process.world.tell("error", error)
                    return exit_code(error)
            return ExitCode.OK

        return tell

    def read(self):
        """Return the plan, read from the bytes of its file."""
        document = read(self.content)
        return SavedPlan(document=document, plan=plan_of(document))

    def opened(self, plan, invocation, process):
        """Return what it asks for; raises what `apply FILE` raises of the file alone."""
        with _in_memory(self, process):
            return saved.opened(plan, invocation, process)

    def _keep(self, process):
        def keep(question, plan, state):
            saved.save(question, plan, Path("plan.json"), process, state, self.lasts)
            self.paid = frozenset(change.address for change in plan.changes if change.paid)
            self.plan, self.serial, self.expires_at = plan.id, plan.serial, plan.created_at + self.lasts

        return keep

    def kept_tasks(self):
        """Return the tasks as a file holds them."""
        return [
            replace(task, request={}) if isinstance(task, DesiredTask) and task.address not in self.sending else task
            for task in self.tasks
        ]


class Using:
    """What is held against one use of a saved plan: it does what it has, or less, and only while it is fresh."""

    def __init__(self, world, plan):
        self._world, self._saved = world, plan
        disk = world.durable
        self._was_done = self._is_noted("done")
        plan.is_overtaken = plan.is_overtaken or disk.serial != plan.serial
        self._runs, self._intents = set(world.remote.runs), set(world.ledger.intents)
        self._is_over = self._was_done or plan.is_overtaken or world.now > plan.expires_at

    def ended(self, code, *, waits):
        """Hold what one use has done against the plan."""
        world, plan = self._world, self._saved
        new = [run for run in world.remote.runs.values() if run.id not in self._runs]
        for run in new:
            address = world.ledger.intents[run.nonce][0]
            is_retry = address in plan.sending and world.ledger.intents[run.nonce][2] > 1
            planned = address in plan.paid or is_retry
            require(planned, f"{run.id} of {address} is paid for, and the saved plan does not have it")
            texts = {task.spec["prompt"] for task in plan.tasks if task.address == address}
            known = run.nonce in self._intents or not _is_known(plan, address)
            require(known or run.prompt in texts, f"{run.id} is of `{run.prompt}`, which the saved plan does not have")
        require(
            not (new and self._is_over), f"{[run.id for run in new]} are paid for by a plan that is used up, or stale"
        )
        if code is not None and self._is_over:
            require(code == ExitCode.STALE, f"the plan is over, and the exit code is {code}")
        if not self._is_over:
            require(code != ExitCode.STALE, "the plan is fresh, and it is refused as if it were not")
            plan.is_begun = self._is_noted("begun")
            is_used = plan.is_begun and code == ExitCode.OK and waits
            require(self._is_noted("done") or not is_used, "the plan was carried out, and could be used once more")
            require(
                plan.is_begun or world.durable.serial == plan.serial, "the state has changed, and no plan was begun"
            )
            plan.serial = world.durable.serial

    def _is_noted(self, what):
        history, plan = self._world.durable.history, self._saved.plan
        return any(entry.note.what == what and entry.note.data.get("plan") == plan for entry in history)


def _is_known(plan, address):
    return any(isinstance(task, DesiredTask) for task in plan.tasks if task.address == address)


@contextmanager
def _in_memory(plan, process):
    """Give `plan --out` and `apply FILE` the memory in the place of a file."""

    def seal(desired, sending):
        plan.sending = frozenset(sending)
        return {}

    def write(_, content):
        plan.content = content

    def unseal(*_):
        return replace(process.prepared.desired, tasks={task.address: task for task in plan.kept_tasks()})

    places = (
        (saved, "sealed", seal),
        (saved, "write_private", write),
        (saved, "unsealed", unseal),
        (saved, "project_of", lambda *_: PROJECT),
        (asyncio, "run", process.run),
    )
    before = [getattr(module, name) for module, name, _ in places]
    for module, name, value in places:
        setattr(module, name, value)
    try:
        yield
    finally:
        for (module, name, _), value in zip(places, before, strict=True):
            setattr(module, name, value)
