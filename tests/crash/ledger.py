"""What must hold at every moment, whatever is killed: held against each create and each commit. Repairs nothing."""

from dataclasses import dataclass, field

from taskspec.address import Address
from taskspec.documents.model import OnRemove
from taskspec.state.model import DropRecord, PutRecord, Record, Sending


class BrokenError(AssertionError):
    """A promise was broken."""


@dataclass(slots=True)
class Ledger:
    """Who asked for each run, by nonce, as it was durable before the first byte left."""

    world: object
    intents: dict[str, tuple[Address, int, int]] = field(default_factory=dict)
    bound: dict[str, str] = field(default_factory=dict)
    """The run that was bound to an attempt, by nonce."""
    let_go: set[str] = field(default_factory=set)
    """The nonces of attempts whose address was forgotten since."""
    records: dict[Address, Record] = field(default_factory=dict)
    intent_first: bool = True
    """False for a control that keeps no intents: then only what is paid twice counts."""
    owners: dict[str, Address] = field(default_factory=dict)
    """The addresses that were ever declared, by their hashes."""
    repeated: bool = False
    """A proxy has made two runs of one request: only that this is seen can be asked for."""

    def created(self, run):
        """Hold a run that the remote has taken, or will, against all that is known of its address."""
        nonce = run.nonce
        if not self.intent_first:
            self.intents.setdefault(nonce, (self.owners[run.owner], run.generation, 0))
        require(nonce in self.intents, f"{run.id} was asked for before its intent was durable")
        address, generation, attempt = self.intents[nonce]
        disk = self.world.durable
        record = disk.records.get(address)
        if not self.repeated and record is not None and record.accepted is not None:
            same = record.accepted.fingerprint == record.generation.fingerprint
            require(not same, f"{run.id} is paid for, and {address} has its accepted result")
        for other in self.world.remote.runs.values():
            if other is run or other.nonce not in self.intents:
                continue
            if self.intents[other.nonce][0] == address:
                self._require_over(run, other, (address, generation, attempt))

    def _require_over(self, run, other, asked):
        whose = self.intents[other.nonce]
        if other.nonce in self.let_go:
            return
        if whose == asked and self.intent_first:
            require(self.repeated, f"{run.id} and {other.id} are both attempt {asked}")
            return
        require(other.nonce in self.bound, f"{run.id} {asked} was started, and nobody knows of {other.id} {whose}")
        over = is_over(other, self.world.now)
        require(over or self.repeated, f"{run.id} {asked} was started while {other.id} {whose} is at work")

    def committed(self, changes):
        """Hold what has just become durable against the remote."""
        for change in changes:
            if isinstance(change, PutRecord):
                self._recorded(change.record)
            elif isinstance(change, DropRecord):
                self._dropped(change.address)

    def _recorded(self, record):
        self.records[record.address] = record
        generation, runs = record.generation, self.world.remote.runs
        for attempt in generation.attempts:
            whose = (record.address, generation.number, attempt.number)
            known = self.intents.setdefault(attempt.nonce, whose)
            require(known == whose or not self.intent_first, f"the nonce of {known} is used again by {whose}")
            if attempt.run is not None:
                require(attempt.run in runs, f"{whose} is bound to {attempt.run}, which does not exist")
                require(runs[attempt.run].nonce == attempt.nonce, f"{whose} is bound to somebody else's {attempt.run}")
                self.bound.setdefault(attempt.nonce, attempt.run)
                require(self.bound[attempt.nonce] == attempt.run, f"{whose} was bound to another run before")
            if attempt.sending in {Sending.ABSENT, Sending.REFUSED}:
                there = [run.id for run in runs.values() if run.nonce == attempt.nonce]
                require(not there, f"{whose} is recorded as {attempt.sending.value}, and the remote has {there}")
        self._accepted(record)

    def _dropped(self, address):
        record, now = self.records.pop(address), self.world.now
        self.world.accepted.pop(address, None)
        for run in self.world.remote.runs.values():
            whose = self.intents.get(run.nonce)
            if whose is None or whose[0] != address or run.nonce in self.let_go:
                continue
            require(run.nonce in self.bound, f"{address} was forgotten, and nobody knows of its {run.id} any more")
            if record.on_remove is OnRemove.STOP:
                require(is_over(run, now), f"{address} was forgotten while {run.id} is at work")
        self.let_go |= {nonce for nonce, whose in self.intents.items() if whose[0] == address}

    def _accepted(self, record):
        before = self.world.accepted.get(record.address)
        now = record.accepted
        if before is not None:
            require(now is not None, f"the accepted result of {record.address} is lost")
            if now.generation == before.generation:
                require(now.run == before.run, f"the accepted result of {record.address} was exchanged")
        if now is None:
            return
        run = self.world.remote.runs[now.run]
        require(run.status(self.world.now) == "completed", f"{run.id} is accepted, and has not completed")
        kept = self.world.durable.results.get(now.result.digest)
        require(kept == run.answer, f"the result of {record.address} is not what {run.id} answered")
        self.world.accepted[record.address] = now


def is_over(run, now):
    """Tell whether a run has ended on the remote."""
    return run.applies_at <= now and run.status(now) not in {"pending", "executing", "paused"}


def require(holds, otherwise):
    """Raise BrokenError with what is wrong, unless all is well."""
    if not holds:
        raise BrokenError(otherwise)
