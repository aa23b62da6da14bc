"""The commands of a person, each as the story of one process: apply, retry, stop, forget, adopt. Reads no documents.

What the documents say is handed in; everything behind that is the real command.
"""

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from taskspec.documents.model import Project
from taskspec.errors import LockHeldError, TaskspecError, UsageError
from taskspec.events import DuplicatesFound
from taskspec.report.counting import Tally
from taskspec.report.exiting import ExitCode
from taskspec.runner import adopting, applying, forgetting, picking, stopping
from taskspec.runner.applying import Job
from taskspec.runner.model import Invocation
from taskspec.selecting.model import Named, Selection, Term
from taskspec.settings import Settings

PROJECT = Project(name="sales", folder="/sales", data_folder="/sales/.taskspec")
INVOCATION = Invocation(target=Path("/sales"), settings=Settings(environ={}))


def naming(*addresses, **said):
    """Return an invocation that names some addresses."""
    words = tuple((Term(criterion=Named(pattern=address)),) for address in addresses)
    return replace(INVOCATION, selection=Selection(words=words), **said)


def apply(invocation, **job):
    """Return the story of `apply`, or of `retry` where it is `requested`."""

    async def tell(process, hear, tally):
        def approve(plan):
            tally.expect(change.address for change in plan.changes)
            return True

        await applying.apply(invocation, process, Job(prepared=process.prepared, approve=approve, emit=hear, **job))

    return _told(tell)


def stop(*addresses):
    async def tell(process, hear, tally):
        await stopping.stop(naming(*addresses), process, lambda _: True, hear)

    return _told(tell)


def forget(*addresses):
    async def tell(process, hear, tally):
        await forgetting.forget(naming(*addresses), process, lambda _: True, hear)

    return _told(tell)


def adopt(address, run):
    async def tell(process, hear, tally):
        wish = adopting.Wish(run=run, foreign=False, approve=lambda _: True, emit=hear)
        await adopting.adopt(naming(address), process, wish)

    return _told(tell)


def _told(tell):
    """Return a story that ends with its exit code."""

    async def story(process):
        tally, world = Tally(), process.world

        def hear(event):
            process.step(type(event).__name__, getattr(event, "address", ""))
            if isinstance(event, DuplicatesFound):
                world.duplicates |= {event.kept, *event.others}
            tally.on(event)

        try:
            await tell(process, hear, tally)
        except LockHeldError:
            return ExitCode.LOCKED
        except UsageError as error:
            world.tell("refused", error)
            return ExitCode.USAGE
        except TaskspecError as error:
            world.tell("error", error)
            return ExitCode.ERROR
        return tally.exit_code

    return story


@contextmanager
def documents(prepared):
    """Let every command find these documents in the place of those on a disk."""
    saved = stopping.project_of, forgetting.project_of, forgetting._declared, picking.scope_of, adopting.prepare
    stopping.project_of = forgetting.project_of = lambda _: PROJECT
    forgetting._declared = lambda *_: lambda _: None
    picking.scope_of, adopting.prepare = lambda _: None, lambda *_: prepared
    try:
        yield
    finally:
        stopping.project_of, forgetting.project_of, forgetting._declared, picking.scope_of, adopting.prepare = saved
