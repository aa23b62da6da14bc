"""Stores that contend for one state, in any order that hypothesis finds: every answer is held against a model."""

import tempfile
import uuid
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from modelled import ModelledState
from patience import until
from state_servers import open_at, server
from state_values import (
    ALICE,
    BOB,
    EXTRACT,
    REPORT,
    chained_document,
    document_of,
    drop_result,
    note,
    put,
    put_result,
    ref,
)

from taskspec.address import Address
from taskspec.errors import LockHeldError, LostLeaseError, StaleError, StateError
from taskspec.state.model import INLINE_LIMIT, TTL, DropRecord, PutResult

STORES = 3
BRIEF = 0.3
"""Seconds that a lease lasts which is to lapse within a test."""
CAROL = replace(BOB, user="carol", host="runner-7", pid=9, command="taskspec apply", job="https://ci.example/jobs/9")
MATRIX = Address('report[region="eu"]')
CONTENTS = ("", "short", "näïve\x00\r\n", "y" * 20_000)
LARGE = "ö" * (INLINE_LIMIT // 2 + 1)

NUMBERS = st.integers(0, STORES - 1)
HOLDERS = st.sampled_from((ALICE, BOB, CAROL))
ADDRESSES = st.sampled_from((EXTRACT, REPORT, MATRIX))
CHANGES = st.one_of(
    st.builds(put, ADDRESSES, number=st.integers(1, 3)),
    st.builds(DropRecord, address=ADDRESSES),
    st.builds(note, ADDRESSES, what=st.sampled_from(("intended", "ended")), at=st.sampled_from((1.0, 2.5))),
    st.builds(put_result, st.sampled_from(CONTENTS)),
)
DROPS = st.sampled_from([[drop_result(content)] for content in (*CONTENTS, LARGE)])
COMMITS = st.one_of(st.lists(CHANGES, max_size=4), st.just([put_result(LARGE)]), DROPS)
SKEWS = st.sampled_from((0, 0, 0, -1, 1))
LIE = PutResult(ref=ref("one"), content="two")


def taken(store, holder):
    """Take a lock that has lapsed, or is about to: not every store can ask the server for the very moment."""

    def attempt():
        with suppress(LockHeldError):
            return store.acquire(holder)

    return until(attempt)


class Contest(RuleBasedStateMachine):
    """Several stores over one place, and one that reads; beside them a state of another environment."""

    def __init__(self, kind="sqlite", opening=open_at):
        super().__init__()
        self._opening = opening
        self._folder = tempfile.TemporaryDirectory(prefix="contest-")
        self._place = server(kind).place(uuid.uuid4().hex)
        self.stores = [self._open() for _ in range(STORES)]
        self.reader = self._open(read_only=True)
        self.lapses = self.reader.capabilities.ttl is not None
        self.model = ModelledState()
        self.digests = {}
        self.steps = 0
        self.given = []
        """Every lease that was ever given: the number of its store, and itself."""
        self.holder = None
        """Who holds the lock, and its place among those given."""
        self.taken_by = {}
        """Who may be said to have taken over a lease that was given."""

    def _open(self, **said):
        return self._opening(self._place, Path(self._folder.name) / ".taskspec", **said)

    @initialize(is_made=st.booleans())
    def begin(self, is_made):
        if is_made:
            self.acquire(0, ALICE)

    # the lock

    @rule(number=NUMBERS, holder=HOLDERS)
    def acquire(self, number, holder):
        store = self.stores[number]
        if self.holder is not None:
            with pytest.raises(LockHeldError) as caught:
                store.acquire(holder)
            self._names_the_holder(caught.value)
            return
        self._given(number, holder, store.acquire(holder))

    def _given(self, number, holder, lease):
        assert lease.epoch > max((old.epoch for _, old in self.given), default=0), "epochs grow"
        if not self.model.lineage:
            self.model.begin(self.stores[number].read().lineage)
        self.given.append((number, lease))
        self.holder = holder, len(self.given) - 1
        self._said_to_have_it(holder)

    def _said_to_have_it(self, holder):
        for names in self.taken_by.values():
            names.add(holder.user)

    def _names_the_holder(self, error):
        holder, which = self.holder
        for word in (holder.user, holder.host, str(holder.pid), holder.command, holder.job or ""):
            assert word in error.message
        assert error.hint
        assert error.lock["epoch"] == self.given[which][1].epoch

    @precondition(lambda self: self.given)
    @rule(which=st.integers(0, 5))
    def renew(self, which):
        self._under(which, lambda store, lease: store.renew(lease))

    @precondition(lambda self: self.given)
    @rule(which=st.integers(0, 5))
    def release(self, which):
        which, number, lease = self._lease(which)
        self.stores[number].release(lease)
        if self.holder and self.holder[1] == which:
            self.holder = None

    @precondition(lambda self: self.given)
    @rule(number=NUMBERS, step=st.sampled_from((0, 0, 0, -1, 1, 92)), by=HOLDERS)
    def force_release(self, number, step, by):
        epoch = self.given[-1][1].epoch + step
        try:
            self.stores[number].force_release(epoch, by)
        except LockHeldError as error:
            if self.holder:
                self._names_the_holder(error)
            assert step or not self.holder, "the lock of that epoch is held, and was not taken away"
            return
        if self.holder:
            assert not step, "a lock was taken away by another epoch than its own"
            self.taken_by[self.holder[1]] = set()
            self.holder = None
        self._said_to_have_it(by)

    @rule(number=NUMBERS)
    def close_and_open_again(self, number):
        self.stores[number].close()
        self.stores[number] = self._open()
        if self.holder and self.given[self.holder[1]][0] == number:
            self.holder = None

    @precondition(lambda self: self.lapses and self.holder is None)
    @rule(number=NUMBERS, holder=HOLDERS, other=st.one_of(st.none(), NUMBERS), rare=st.integers(0, 7))
    def let_a_lease_lapse(self, number, holder, other, rare):
        """Once in a while, since it takes a moment: then the lock is free, and its holder may go on until it is not."""
        if rare < 7:
            return
        self.stores[number].close()
        self.stores[number] = self._open(ttl=BRIEF)
        self._given(number, holder, self.stores[number].acquire(holder))
        lease = self.given[-1][1]
        until(lambda: self.reader.holding() is None)
        if other is None or other == number:
            assert self.stores[number].commit(lease, self.model.serial, []) == self.model.serial + 1
            self.model.commit([])
            self.stores[number].close()
        else:
            self.taken_by[len(self.given) - 1] = set()
            self._given(other, BOB, taken(self.stores[other], BOB))
            self._is_lost(lambda: self.stores[number].commit(lease, self.model.serial, []), len(self.given) - 2)
            self._is_lost(lambda: self.stores[number].renew(lease), len(self.given) - 2)
            self.stores[other].release(self.given[-1][1])
        self.stores[number].close()
        self.stores[number] = self._open()
        self.holder = None

    # writing

    @precondition(lambda self: self.given)
    @rule(which=st.integers(0, 5), skew=SKEWS, changes=COMMITS)
    def commit(self, which, skew, changes):
        serial = self.model.serial + skew
        told = self._under(which, lambda store, lease: store.commit(lease, serial, changes), skew)
        if told is not None:
            self.model.commit(changes)
            assert told == self.model.serial

    @precondition(lambda self: self.holder)
    @rule(changes=COMMITS)
    def commit_what_is_right(self, changes):
        number, lease = self.given[self.holder[1]]
        assert self.stores[number].commit(lease, self.model.serial, changes) == self.model.serial + 1
        self.model.commit(changes)

    @precondition(lambda self: self.holder)
    @rule(changes=st.lists(CHANGES, max_size=2))
    def commit_a_lie(self, changes):
        number, lease = self.given[self.holder[1]]
        with pytest.raises(StateError, match="does not match its digest"):
            self.stores[number].commit(lease, self.model.serial, [*changes, LIE])

    @precondition(lambda self: self.given)
    @rule(which=st.integers(0, 5), skew=SKEWS, number=st.integers(1, 3), ahead=st.integers(0, 9), bare=st.booleans())
    def replace(self, which, skew, number, ahead, bare):
        document = chained_document(number)
        document = replace(document, serial=number + ahead, results=None if bare else document.results)
        serial = self.model.serial + skew
        told = self._under(which, lambda store, lease: store.replace(lease, serial, document), skew)
        if told is not None:
            self.model.replace(document)
            assert told == document.serial

    def _lease(self, which):
        which = max(0, len(self.given) - 1 - which)
        return which, *self.given[which]

    def _under(self, which, write, skew=0):
        """Write under a lease, and return what is told; None where it is refused, as it must be."""
        which, number, lease = self._lease(which)
        if self.holder is None or self.holder[1] != which:
            self._is_lost(lambda: write(self.stores[number], lease), which, also=StaleError if skew else LostLeaseError)
            return None
        if skew:
            with pytest.raises(StaleError, match=f"at serial {self.model.serial}, not"):
                write(self.stores[number], lease)
            return None
        return write(self.stores[number], lease) or 0

    def _is_lost(self, write, which, also=LostLeaseError):
        with pytest.raises((LostLeaseError, also)) as caught:
            write()
        names = self.taken_by.get(which)
        if names and "took it over" in caught.value.message:
            assert any(name in caught.value.message for name in names), caught.value.message

    # reading

    @rule(number=NUMBERS, addresses=st.lists(st.one_of(ADDRESSES, st.just(Address("unheard-of"))), max_size=2))
    def read_some(self, number, addresses):
        assert self.stores[number].read(only=addresses) == self.model.only(addresses)

    @rule(number=NUMBERS, address=st.one_of(st.none(), ADDRESSES), limit=st.one_of(st.none(), st.integers(0, 3)))
    def tell_the_history(self, number, address, limit):
        entries = [entry for entry in self.model.history if address in (None, entry.note.address)]
        assert list(self.stores[number].history(address, limit=limit)) == entries[:limit]
        assert self.stores[number].head() == self.model.head

    @rule(number=NUMBERS, content=st.sampled_from((*CONTENTS, LARGE)))
    def look_up_a_result(self, number, content):
        asked = ref(content, "text")
        if asked.digest in self.model.results:
            assert self.stores[number].result(asked) == content
            return
        try:
            found = self.stores[number].result(asked)
        except StateError as error:
            assert "is not in" in error.message  # noqa: PT017  # it need not be raised
        else:
            assert (found, asked.digest in self.model.dropped) == (content, True), "what a copy still has, it may give"

    @rule(number=NUMBERS)
    def tell_the_results(self, number):
        assert list(self.stores[number].results()) == sorted(self.model.results.items())

    @rule(holder=HOLDERS)
    def write_as_a_reader(self, holder):
        with pytest.raises(StateError, match="reading only"):
            self.reader.acquire(holder)

    @invariant()
    def something_that_is_read_is_what_was_written(self):
        """Look at one thing after each step, each at its turn: a server may be asked."""
        self.steps += 1
        looks = (
            self._the_holder_is_told,
            self._a_digest_has_one_content,
            self._all_is_read,
            self._some_is_read,
            self._the_newest_is_told,
        )
        looks[self.steps % len(looks)]()

    def _all_is_read(self):
        assert self.reader.read() == self.model.snapshot

    def _some_is_read(self):
        assert self.reader.read(only=[MATRIX]) == self.model.only([MATRIX])

    def _the_newest_is_told(self):
        assert tuple(self.reader.history(limit=2)) == self.model.history[:2]

    def _a_digest_has_one_content(self):
        found = self.reader.digest()
        model = self.model
        assert found[0] == model.serial
        content = model.lineage, dict(model.records)
        version, known = self.digests.setdefault(found, (model.version, content))
        assert known == content, "two contents have one digest"
        same = [digest for digest, (when, _) in self.digests.items() if when == model.version]
        assert version != model.version or same == [found], "one content has two digests"

    def _the_holder_is_told(self):
        holding = self.reader.holding()
        if self.holder is None:
            assert holding is None
            return
        holder, which = self.holder
        assert holding is not None
        assert (holding.holder, holding.epoch) == (holder, self.given[which][1].epoch)
        assert (holding.lapses, holding.ttl) == (self.lapses, TTL)

    def teardown(self):
        self.stores.append(self.reader)
        try:
            for store in self.stores:
                store.close()
            last = self._open(read_only=True)
            self.stores.append(last)
            assert last.holding() is None
            assert document_of(last) == self.model.document
        finally:
            for store in self.stores:
                store.close()
            self._folder.cleanup()
