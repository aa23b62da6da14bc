"""What a state must hold, as simple as can be: the model that stores are held against. Keeps nothing."""

from dataclasses import dataclass, field, replace

from taskspec.state.chaining import linked, root
from taskspec.state.document import StateDocument
from taskspec.state.model import DropRecord, DropResult, HistoryEntry, Note, PutRecord, PutResult, Snapshot


@dataclass
class ModelledState:
    """One state. `version` is another one as soon as anything was written."""

    lineage: str = ""
    serial: int = 0
    version: int = 0
    records: dict = field(default_factory=dict)
    results: dict = field(default_factory=dict)
    dropped: set = field(default_factory=set)
    """The digests of results that were kept once, and may be kept again."""
    history: tuple = ()
    """Newest first."""

    @property
    def head(self):
        return self.history[0].hash if self.history else self.lineage and root(self.lineage)

    @property
    def snapshot(self):
        return Snapshot(lineage=self.lineage, serial=self.serial, records=dict(self.records), head=self.head)

    def only(self, addresses):
        return replace(self.snapshot, records={one: self.records[one] for one in addresses if one in self.records})

    def begin(self, lineage):
        assert len(lineage) == 32
        self.lineage = lineage
        self.version += 1

    def commit(self, changes):
        self.serial += 1
        self.version += 1
        for change in changes:
            match change:
                case PutRecord(record=record):
                    self.records[record.address] = record
                case DropRecord(address=address):
                    self.records.pop(address, None)
                case PutResult(ref=ref, content=content):
                    self.results[ref.digest] = content
                case DropResult(digest=digest):
                    if self.results.pop(digest, None) is not None:
                        self.dropped.add(digest)
                case Note():
                    entry = HistoryEntry(serial=self.serial, note=change, hash=linked(self.head, self.serial, change))
                    self.history = (entry, *self.history)

    def replace(self, document):
        self.version += 1
        self.lineage, self.serial, self.history = document.lineage, document.serial, document.history
        self.records = dict(document.records)
        if document.results is not None:
            self.results = dict(document.results)

    @property
    def document(self):
        return StateDocument(
            lineage=self.lineage,
            serial=self.serial,
            head=self.head,
            project="sales",
            environment="default",
            records=dict(self.records),
            history=self.history,
            results=dict(self.results),
        )
