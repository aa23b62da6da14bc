"""What must hold at every moment, whatever is killed: held against each create and each commit. Repairs nothing."""

from dataclasses import dataclass, field

from taskspec.address import Address
from taskspec.documents.model import OnRemove, Rerun, When
from taskspec.state.model import DropRecord, Note, PutRecord, Record, Sending


class BrokenError(AssertionError):
    """A promise was broken."""


@dataclass(slots=True)
class Ledger:
    """Who asked for each run, by nonce, as it was durable before the first byte left."""

    world: object
    intents: dict[str, tuple[Address, int, int]] = field(default_factory=dict)
    """Whose each nonce is, under the name that its task has now."""
    bound: dict[str, str] = field(default_factory=dict)
    """The run that was bound to an attempt, by nonce."""
    let_go: set[str] = field(default_factory=set)
    """The nonces of attempts whose address was forgotten since."""
    left: set[str] = field(default_factory=set)
    """The nonces of attempts that had ended in an error when a person took another run: nobody looks at them again."""
    twins: set[str] = field(default_factory=set)
    """The nonces of which a proxy has made two runs: they can only be told."""
    foreign: set[str] = field(default_factory=set)
    """The runs of another project."""
    begun: dict[tuple[int, Address], int] = field(default_factory=dict)
    """The generation for which a command paid first, by the number of the command."""
    asked: dict[tuple[Address, int, int], str] = field(default_factory=dict)
    """The nonce of each attempt, under the name that its task had when it was asked for."""
    wishes: dict[str, Rerun] = field(default_factory=dict)
    """What `rerun` said when a generation was begun, by the nonce of its first attempt."""
    anew: set[str] = field(default_factory=set)
    """The nonces of the first attempts of generations that a person asked for, to have a result made anew."""
    planned: dict[tuple[str, Address], str] = field(default_factory=dict)
    """The nonce of the first attempt that a plan asked for, of each address."""
    specs: dict[str, object] = field(default_factory=dict)
    """What was asked for, by fingerprint."""
    records: dict[Address, Record] = field(default_factory=dict)
    intent_first: bool = True
    """False for a control that keeps no intents: then only what is paid twice counts."""
    counted: dict[str, set[str]] = field(default_factory=dict)
    """The runs whose results were the accepted ones of a text, by its fingerprint."""
    owners: dict[str, Address] = field(default_factory=dict)
    """The addresses that were ever declared, by their hashes."""

    def created(self, run):
        """Hold a run that the remote has taken, or will, against all that is known of its address."""
        nonce = run.nonce
        if not self.intent_first:
            self.intents.setdefault(nonce, (self.owners[run.owner], run.generation, 0))
        require(nonce in self.intents, f"{run.id} was asked for before its intent was durable")
        address, generation, attempt = self.intents[nonce]
        record = self.world.durable.records.get(address)
        if nonce not in self.twins and record is not None and record.accepted is not None:
            self._require_wish(run, address, record)
        paid = self.begun.setdefault((self.world.commands, address), generation)
        require(paid == generation or not self.intent_first, f"one command pays for g{paid} and g{generation}")
        for other in self.world.remote.runs.values():
            if other is run or other.nonce not in self.intents:
                continue
            if self.intents[other.nonce][0] == address:
                self._require_over(run, other, (address, generation, attempt))

    def _require_wish(self, run, address, record):
        """Raise where a run is paid for although what is declared has its accepted result, and nobody asked for it."""
        kept, generation = record.accepted, record.generation
        rerun, told = (
            self.wishes[generation.attempts[0].nonce],
            f"{run.id} is paid for, and {address} has its accepted result",
        )
        if generation.attempts[0].nonce in self.anew:
            require(kept.plan != generation.plan, f"{run.id} is paid for, and {address} was made anew already")
            return
        if rerun.when is When.NEVER:
            require(address in self.world.requested, told)
        before = self.specs.get(kept.fingerprint)
        is_next = kept.generation == generation.number - 1 and not generation.plan.startswith("adopted-")
        is_ignored = is_next and passes(before, generation.spec, rerun.ignore)
        if kept.fingerprint != generation.fingerprint and not is_ignored:
            return
        is_always = rerun.when is When.ALWAYS and rerun.after is None
        due = is_always or (rerun.after is not None and self.world.now - kept.at >= rerun.after)
        require(due and kept.plan != generation.plan, told)

    def _require_over(self, run, other, asked):
        whose = self.intents[other.nonce]
        if other.nonce in self.let_go | self.left:
            return
        if whose == asked and self.intent_first:
            require(run.nonce in self.twins, f"{run.id} and {other.id} are both attempt {asked}")
            return
        require(other.nonce in self.bound, f"{run.id} {asked} was started, and nobody knows of {other.id} {whose}")
        if self.bound[other.nonce] != other.id and other.nonce in self.twins:
            return
        over = is_over(other, self.world.now)
        require(over, f"{run.id} {asked} was started while {other.id} {whose} is at work")

    def committed(self, changes):
        """Hold what has just become durable against the remote."""
        notes = [change for change in changes if isinstance(change, Note)]
        by_hand = {note.address: note.what for note in notes if note.data.get("by") == "hand"}
        again = {note.address for note in notes if note.what == "accepted" and "plan" in note.data}
        moved = {note.address: note.data["to"] for note in notes if note.what == "moved" and "to" in note.data}
        for before, now in moved.items():
            self._moved(before, now)
        for change in changes:
            if isinstance(change, PutRecord):
                if change.record.address in by_hand:
                    self._let_be(change.record)
                if by_hand.get(change.record.address) == "adopted":
                    self._adopted(change.record)
                elif by_hand.get(change.record.address) == "accepted" or change.record.address in again:
                    self._taken_over(change.record)
                if change.record.address in again:
                    self._same_text(change.record)
                self._recorded(change.record)
            elif isinstance(change, DropRecord) and change.address not in moved:
                self._dropped(change.address, by_hand=change.address in by_hand)

    def _moved(self, before, now):
        """Take down that a task has another name: all that was its own goes with it."""
        for nonce, (address, *rest) in self.intents.items():
            if address == before and nonce not in self.let_go:
                self.intents[nonce] = (now, *rest)
        self.records.pop(before, None)
        if before in self.world.accepted:
            self.world.accepted[now] = self.world.accepted.pop(before)

    def _let_be(self, record):
        """Take down that a person has decided on an address whose run is in error: that counts no more."""
        before = self.records.get(record.address)
        last = before.generation.last if before is not None else None
        if last is not None and last.status == "error" and last.nonce != record.generation.last.nonce:
            self.left.add(last.nonce)

    def _adopted(self, record):
        """Take down that a person has given an address a run, which may be one that it was made to forget."""
        last = record.generation.last
        require(last.run not in self.foreign, f"{last.run} of another project was adopted")
        self.intents[last.nonce] = whose = (record.address, record.generation.number, last.number)
        require(self.asked.setdefault(whose, last.nonce) == last.nonce, f"{whose} is another run already")
        self.bound[last.nonce] = last.run
        self.let_go.discard(last.nonce)

    def _taken_over(self, record):
        """Take down that a person has made a kept result the accepted one: its run is that of a generation more."""
        last = record.generation.last
        require(record.address in self.world.declared, f"{record.address} is not declared, and a result is accepted")
        require(last.run not in self.foreign, f"{last.run} of another project was accepted")
        require(self.bound.get(last.nonce) == last.run, f"{last.run} is accepted, and was never one of ours")
        self.intents[last.nonce] = whose = (record.address, record.generation.number, last.number)
        require(self.asked.setdefault(whose, last.nonce) == last.nonce, f"{whose} is another run already")
        self.let_go.discard(last.nonce)

    def _same_text(self, record):
        """Hold a result that a plan has taken again against those that were the accepted ones of this very text."""
        kept = record.accepted
        require(kept.again is not None, f"{kept.run} is accepted again, and nobody knows of which generation")
        was = kept.run in self.counted.get(kept.fingerprint, ())
        require(was, f"{kept.run} is accepted again for {record.address}, and never was for this text")

    def _recorded(self, record):
        self.records[record.address] = record
        generation, runs = record.generation, self.world.remote.runs
        self.specs[generation.fingerprint] = generation.spec
        if record.address in self.world.declared:
            rerun = self.world.declared[record.address].policies.rerun
            self.wishes.setdefault(generation.attempts[0].nonce, rerun)
        self._planned(record)
        for attempt in generation.attempts:
            whose = (record.address, generation.number, attempt.number)
            if attempt.nonce not in self.intents:
                first = self.asked.setdefault(whose, attempt.nonce)
                require(first == attempt.nonce or not self.intent_first, f"{whose} is asked for again")
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

    def _planned(self, record):
        """Take down what a plan asks for; raise where it asks for more than one generation of an address."""
        generation, first = record.generation, record.generation.attempts[0].nonce
        if first not in self.intents and record.address in self.world.anew:
            self.anew.add(first)
        whose = self.planned.setdefault((generation.plan, record.address), first)
        require(whose == first or not self.intent_first, f"one plan asks for {record.address} twice")

    def _dropped(self, address, *, by_hand):
        record, now = self.records.pop(address), self.world.now
        self.world.accepted.pop(address, None)
        for run in self.world.remote.runs.values():
            whose = self.intents.get(run.nonce)
            if whose is None or whose[0] != address or run.nonce in self.let_go or by_hand:
                continue
            require(run.nonce in self.bound, f"{address} was forgotten, and nobody knows of its {run.id} any more")
            if record.on_remove is OnRemove.STOP and self.bound[run.nonce] == run.id:
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
        self.counted.setdefault(now.fingerprint, set()).add(now.run)
        run = self.world.remote.runs[now.run]
        require(run.status(self.world.now) == "completed", f"{run.id} is accepted, and has not completed")
        kept = self.world.durable.results.get(now.result.digest)
        require(kept == run.answer, f"the result of {record.address} is not what {run.id} answered")
        self.world.accepted[record.address] = now


def passes(before, now, ignored):
    """Tell whether two specs differ at most in fields that are ignored, and these are some."""
    if before is None or not ignored:
        return False
    return {k: v for k, v in before.items() if k not in ignored} == {k: v for k, v in now.items() if k not in ignored}


def is_over(run, now):
    """Tell whether a run has ended on the remote."""
    return run.is_over(now)


def require(holds, otherwise):
    """Raise BrokenError with what is wrong, unless all is well."""
    if not holds:
        raise BrokenError(otherwise)
