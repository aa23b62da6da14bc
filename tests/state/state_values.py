"""Values for the tests of the state."""

import hashlib

from taskspec.address import Address
from taskspec.state.chaining import linked, root
from taskspec.state.document import StateDocument
from taskspec.state.model import (
    Accepted,
    Attempt,
    DropResult,
    Generation,
    HistoryEntry,
    Holder,
    Note,
    PutRecord,
    PutResult,
    Record,
    ResultRef,
    Sending,
    Verdict,
)
from taskspec.taskapi.records import Tokens
from taskspec.taskapi.remotes import RemoteIdentity

EXTRACT = Address("extract")
REPORT = Address("report")
ALICE = Holder(user="alice", host="laptop", pid=4711, command="taskspec apply", since=1_700_000_000.0)
BOB = Holder(user="bob", host="desk", pid=4712, command="taskspec stop extract", since=1_700_000_100.0)


def ref(content, output_format="json"):
    data = content.encode()
    return ResultRef(digest=hashlib.sha256(data).hexdigest(), size=len(data), format=output_format)


def record(address=EXTRACT, *, number=1, content='{"total": 3}'):
    attempt = Attempt(
        number=1,
        nonce="6f1c2d3e",
        marker="ts1.0123abcd.4567ef.89ab.g1.6f1c2d3e",
        body_digest="b0" * 32,
        intended_at=1_700_000_000.25,
        send_deadline=1_700_000_060.25,
        remote=RemoteIdentity(type="local", instance="e7"),
        sending=Sending.BOUND,
        run="0b7f",
        title="Extract",
        status="completed",
        verdict=Verdict.ACCEPTED,
        started_at=1_700_000_001.0,
        finished_at=1_700_000_002.5,
        result=ref(content),
        tokens=Tokens(prompt=10, completion=20),
    )
    spec = {"prompt": f"Extract the totals of {address}.", "files": ["data/sales.csv"]}
    generation = Generation(number=number, fingerprint=f"1:{number:064x}", spec=spec, plan="p1", attempts=(attempt,))
    accepted = Accepted(
        generation=number,
        fingerprint=generation.fingerprint,
        plan="p1",
        agent="sales-analyst",
        attempt=attempt,
        result=ref(content),
        at=1_700_000_003.0,
    )
    return Record(address=address, agent="sales-analyst", generation=generation, accepted=accepted)


def put(address=EXTRACT, **changes):
    return PutRecord(record=record(address, **changes))


def put_result(content):
    return PutResult(ref=ref(content), content=content)


def drop_result(content):
    return DropResult(digest=ref(content).digest)


def note(address=EXTRACT, what="ended", at=1_700_000_000.0):
    return Note(address=address, at=at, what=what, data={"attempt": 1})


def document_of(store):
    """Return everything that a store holds, as one value."""
    snapshot = store.read()
    return StateDocument(
        lineage=snapshot.lineage,
        serial=snapshot.serial,
        head=snapshot.head,
        project="sales",
        environment="default",
        records=snapshot.records,
        history=tuple(store.history()),
        results=dict(store.results()),
    )


def chained_document(number):
    """Return a whole state at a serial, all of which says of which it is."""
    lineage = "5a1e5" + "0" * 27
    head, entries = root(lineage), []
    for serial in range(1, number + 1):
        written = note(at=float(serial))
        head = linked(head, serial, written)
        entries.append(HistoryEntry(serial=serial, note=written, hash=head))
    contents = [str(number), str(number) * 70_000]
    records = [record(Address(f"task-{count}"), number=number, content=contents[0]) for count in range(5)]
    return StateDocument(
        lineage=lineage,
        serial=number,
        head=head,
        project="sales",
        environment="default",
        records={one.address: one for one in records},
        history=tuple(entries[::-1]),
        results={ref(content).digest: content for content in contents},
    )
