"""Moving: which recorded address is which declared task under a new name. Decides nothing else, and stores nothing.

A task says so itself (`moved`), or is found: where exactly one recorded address that nothing declares any more, and
exactly one declared task of which nothing is recorded, have the same fingerprint. What uses results of others has a
fingerprint when these are there. Where several fit, none is taken: what is recorded has one task.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from taskspec.address import Address
from taskspec.desired.model import DeferredTask, Desired
from taskspec.plan import move_reasons
from taskspec.plan.causes import Reason
from taskspec.plan.finishing import finished, recorded_results
from taskspec.plan.model import Action, Change, Declared, Spent, nothing_spent
from taskspec.plan.renaming import renamed_cells
from taskspec.plan.resembling import resembling
from taskspec.state.model import Record, Snapshot


@dataclass(frozen=True, kw_only=True, slots=True)
class Moves:
    """The recorded addresses of tasks that have another name now, and what is to be said of those that may be some."""

    former: Mapping[Address, Address] = field(default_factory=dict)
    """For the address of a task, the one under which it is recorded."""
    reasons: Mapping[Address, Reason] = field(default_factory=dict)
    """What is to be said of a move, and of an address that could not be moved."""

    def rekeyed(self, snapshot: Snapshot, spent: Spent = nothing_spent) -> Snapshot:
        """Return a state with each record under the address that its task has now.

        A record that bore this address before may have `spent` numbers of generations: they are not used again.
        """
        if not self.former:
            return snapshot
        left = set(self.former.values())
        records = {address: record for address, record in snapshot.records.items() if address not in left}
        for address, before in self.former.items():
            record = snapshot.records[before]
            last = max(record.spent, spent(address))
            records[address] = replace(record, address=address, spent=last if last > record.generation.number else 0)
        return replace(snapshot, records=records)

    def followed(self, addresses: frozenset[Address]) -> frozenset[Address]:
        """Return some addresses with the new ones in the place of the former: who names either means the task."""
        now = {before: address for address, before in self.former.items()}
        return frozenset(now.get(address, address) for address in addresses) if now else addresses

    def told(self, change: Change) -> Change:
        """Return the change of an address with what there is to say of its move."""
        before, why = self.former.get(change.address), self.reasons.get(change.address)
        if before is None:
            concerned = why is not None and (change.paid or change.task is None)
            return replace(change, reasons=(*change.reasons, why)) if why is not None and concerned else change
        assert why is not None
        if change.action in {Action.NONE, Action.UPDATE}:
            return replace(change, action=Action.MOVE, moved_from=before, reasons=(why, *change.reasons))
        return replace(change, moved_from=before, reasons=(*change.reasons, why))


def moves_of(desired: Desired, snapshot: Snapshot, contents: Mapping[str, str]) -> Moves:
    """Return the moves between what is recorded and what is declared.

    `contents` are the accepted results that tasks use, by digest.
    """
    records, tasks = snapshot.records, desired.tasks
    removed = sorted(records.keys() - tasks.keys())
    if not removed:
        return Moves()
    said = {new: old for new, old in desired.former.items() if old in records and old not in tasks and new in tasks}
    former = {new: old for new, old in said.items() if new not in records}
    reasons = {new: move_reasons.moved(tasks[new], old, said=True) for new, old in former.items()}
    reasons |= {old: move_reasons.recorded_anew(tasks[new], old) for new, old in said.items() if new in records}
    taken = set(former.values())
    fitting = _Fitting(desired, records, [address for address in removed if address not in taken], former, contents)
    for olds, news in fitting.pairs():
        if len(olds) == len(news) == 1:
            former[news[0]] = olds[0]
            reasons[news[0]] = move_reasons.moved(tasks[news[0]], olds[0], said=False)
        else:
            reasons |= {new: move_reasons.ambiguous(tasks[new], olds, news) for new in news}
    moves = Moves(former=former, reasons=reasons)
    records = moves.rekeyed(snapshot).records
    hints = {**dict(resembling(desired, records)), **reasons, **renamed_cells(desired, records)}
    return replace(moves, reasons=hints)  # what holds of all cells says more than that one is not plain


class _Fitting:
    """Which of the removed addresses may be which of the added tasks, by their fingerprints."""

    def __init__(
        self,
        desired: Desired,
        records: Mapping[Address, Record],
        removed: Sequence[Address],
        former: Mapping[Address, Address],
        contents: Mapping[str, str],
    ) -> None:
        self._tasks = desired.tasks
        self._records = dict(records) | {new: records[old] for new, old in former.items()}
        self._contents = contents
        self._removed: dict[str, list[Address]] = {}
        for address in removed:
            self._removed.setdefault(records[address].generation.fingerprint, []).append(address)

    def pairs(self) -> Sequence[tuple[Sequence[Address], Sequence[Address]]]:
        """Return the removed addresses and the added tasks of each fingerprint that both have."""
        added: dict[str, list[Address]] = {}
        for address, task in self._tasks.items() if self._removed else ():
            if address in self._records:
                continue
            fingerprint = self._fingerprint(task)
            olds = self._removed.get(fingerprint) if fingerprint is not None else None
            if fingerprint is None or olds is None:
                continue
            added.setdefault(fingerprint, []).append(address)
            if len(olds) == 1:  # what uses its result can be finished with it
                self._records[address] = self._records[olds[0]]
        return [(self._removed[fingerprint], news) for fingerprint, news in added.items()]

    def _fingerprint(self, task: Declared) -> str | None:
        if not isinstance(task, DeferredTask):
            return task.fingerprint
        results = recorded_results(task, self._records, self._contents)
        made = results if isinstance(results, Reason) else finished(task, results)
        return None if isinstance(made, Reason) else made.fingerprint
