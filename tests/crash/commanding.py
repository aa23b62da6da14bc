"""The commands of a person, each as the story of one process: apply, stop, forget, adopt, accept. Reads no documents.

What the documents say is handed in; everything behind that is the real command.
"""

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from taskspec.cli.failing import exit_code
from taskspec.documents.model import Project
from taskspec.errors import TaskspecError
from taskspec.events import DuplicatesFound
from taskspec.report.counting import Tally
from taskspec.report.exiting import foremost
from taskspec.runner import accepting, adopting, applying, forgetting, picking, planning, stopping
from taskspec.runner.applying import Job
from taskspec.runner.model import Invocation
from taskspec.selecting.model import Named, Selection, Term
from taskspec.settings import Settings

PROJECT = Project(name="sales", folder="/sales", data_folder="/sales/.taskspec")
INVOCATION = Invocation(target=Path("/sales"), settings=Settings(environ={}))


def naming(*addresses, **said):
    """Return an invocation that names some addresses."""
    return replace(INVOCATION, selection=chosen(addresses), **said)


def chosen(addresses):
    """Return the selection of some addresses."""
    return Selection(words=tuple((Term(criterion=Named(pattern=address)),) for address in addresses))


def apply(invocation, saved=None, **job):
    """Return the story of `apply`, of `retry` where it is `requested`, or of `apply FILE` where a plan was saved."""

    async def tell(process, hear, tally):
        def approve(plan):
            tally.expect(change.address for change in plan.changes)
            return True

        told = dict(job) if saved is None else {**job, "saved": saved.read()}
        prepared = process.prepared if saved is None else saved.opened(told["saved"], invocation, process)
        await applying.apply(invocation, process, Job(prepared=prepared, approve=approve, emit=hear, **told))

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


def accept(address, generation=None):
    async def tell(process, hear, tally):
        wish = accepting.Wish(generation=generation, approve=lambda _: True, emit=hear)
        await accepting.accept(naming(address), process, wish)

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
        except TaskspecError as error:
            world.tell("error", error)
            return foremost((exit_code(error), tally.exit_code))
        return tally.exit_code

    return story


_PLACES = (
    *((module, "project_of", lambda _: PROJECT) for module in (stopping, forgetting)),
    (forgetting, "_declared", lambda *_: lambda _: None),
    (picking, "scope_of", lambda _: None),
)


@contextmanager
def documents(prepared):
    """Let every command find these documents in the place of those on a disk."""
    made = [(module, "prepare", lambda *_, **__: prepared) for module in (adopting, accepting, planning)]
    places = [(module, name, getattr(module, name), value) for module, name, value in (*_PLACES, *made)]
    for module, name, _, value in places:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, before, _ in places:
            setattr(module, name, before)
