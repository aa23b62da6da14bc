"""accept: makes a kept result the accepted one by hand. Starts nothing, and asks no remote."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from shlex import quote

from taskspec.address import Address
from taskspec.apply.accepting import accepted, note_of
from taskspec.apply.model import Emit
from taskspec.apply.superseding import superseded
from taskspec.errors import OutcomeUnknownError, UsageError
from taskspec.events import ResultAccepted
from taskspec.observed.model import Observed
from taskspec.plan.accepting import Acceptance, is_unsettled, refusal, unfit
from taskspec.plan.keeping import Kept, kept_results
from taskspec.plan.recollecting import recollected
from taskspec.plan.regrading import dependents
from taskspec.plan.standing import Situation, stand
from taskspec.runner.applying import results_folder
from taskspec.runner.declaring import declared_now, former_name, only_one
from taskspec.runner.locking import locked
from taskspec.runner.model import Invocation, Ports
from taskspec.runner.preparing import prepare
from taskspec.runner.recalling import BoundRuns, notes_of
from taskspec.state.model import Note, PutRecord, Record, Verdict

Approve = Callable[[Acceptance], bool]
"""Shows a kept result and what it would count for, and tells whether it is to be accepted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """Which generation's result is to be accepted (None: the newest that is kept), and who says yes."""

    generation: int | None
    approve: Approve
    emit: Emit


async def accept(invocation: Invocation, ports: Ports, wish: Wish) -> bool:
    """Make a kept result of the one address that is selected the accepted one; return False where not approved."""
    prepared = prepare(invocation, ports)
    project = prepared.desired.project
    results, remote = results_folder(project), ports.offline(project).identity
    async with locked(project, ports, invocation.lock_timeout) as (store, lease):
        snapshot = store.read()
        address = only_one(invocation, prepared, snapshot)
        if before := former_name(address, prepared, snapshot, store):
            raise _refused(f"`{address}` is recorded as `{before}`, its former name", "`taskspec apply` moves it.")
        record = snapshot.records.get(address)
        situation = stand(record, Observed(), remote)
        _require_settled(situation, address)
        task = declared_now(address, prepared, snapshot, store, Observed(), remote)
        if why := unfit(address, task):
            raise _refused(*why)
        acceptance = Acceptance(
            address=address,
            task=task,
            situation=situation,
            kept=_chosen(address, wish.generation, record, list(notes_of(address, store))),
            spent=BoundRuns(store).last_generation(address),
            dependents=dependents(prepared.desired).get(address, ()),
        )
        if why := refusal(acceptance, remote):
            raise _refused(*why)
        content = store.result(acceptance.kept.result)
        results.check()
        if not wish.approve(acceptance):
            return False
        store.renew(lease)  # whoever thought about it may have lost the lock meanwhile
        made = accepted(acceptance, ports.chance.nonce())
        at = ports.chance.now()
        older = superseded(record, made, at, plan=None)
        store.commit(lease, snapshot.serial, (PutRecord(record=made), *older, note_of(acceptance, made, at)))
        kept = acceptance.kept
        run = kept.attempt.run or ""
        wish.emit(ResultAccepted(address=address, generation=acceptance.generation, source=kept.generation, run=run))
        if made.accepted is not None:
            wish.emit(results.publish(address, made.accepted, content))
    return True


def _chosen(address: Address, generation: int | None, record: Record | None, notes: Sequence[Note]) -> Kept:
    kept = kept_results(record, notes)
    if not kept:
        raise _refused(
            f"no result of `{address}` is kept",
            f"`taskspec apply {quote(address)}` or `taskspec retry {quote(address)}` makes one.",
        )
    if generation is None:
        return kept[0]
    for one in kept:
        if one.generation == generation:
            return one
    known = ", ".join(f"g{one.generation} ({_verdict(one)})" for one in kept)
    gone = any(one.number == generation and one.is_gone for one in recollected(record, notes))
    why = "was removed, as its `retention` asks" if gone else "is kept"
    what = "the result" if gone else "no result"
    raise _refused(f"{what} of g{generation} of `{address}` {why}", f"Kept are those of {known}.")


def _verdict(kept: Kept) -> str:
    return "accepted now" if kept.is_accepted else str(kept.attempt.verdict or Verdict.UNKNOWN)


def _require_settled(situation: Situation, address: Address) -> None:
    attempt, record = situation.attempt, situation.record
    if not is_unsettled(situation) or attempt is None or record is None:
        return
    which = f"attempt {attempt.number} of g{record.generation.number}"
    raise OutcomeUnknownError(
        f"Nothing is accepted: {which} of `{address}` was asked for, and whether the remote has it is not known.",
        hint=f"`taskspec apply {quote(address)}` finds out; docs/recovery.md tells what to do where it cannot.",
    )


def _refused(why: str, hint: str) -> UsageError:
    return UsageError(f"Nothing is accepted: {why}.", hint=hint)
