"""Whether a document may take the place of a state, by the rules of Terraform and one of ours. Replaces nothing.

A document of another lineage is another state; one of an older serial does not know what was done since; one whose
history does not go on from that of the state has forgotten runs that are paid for. None of them is taken unasked.
"""

from taskspec.state.chaining import root
from taskspec.state.document import StateDocument
from taskspec.state.model import Snapshot


def is_empty(snapshot: Snapshot) -> bool:
    """Tell whether nothing was ever kept in a state."""
    if not snapshot.lineage:
        return True
    return not snapshot.serial and not snapshot.records and snapshot.head == root(snapshot.lineage)


def is_same(snapshot: Snapshot, document: StateDocument) -> bool:
    """Tell whether a state has the records and the history of a document already."""
    told = Snapshot(lineage=document.lineage, serial=document.serial, records=document.records, head=document.head)
    return told == snapshot


def goes_on(snapshot: Snapshot, document: StateDocument) -> bool:
    """Tell whether the history of a document holds that of a state."""
    heads = {root(document.lineage), *(entry.hash for entry in document.history)}
    return snapshot.head in heads


def refusal(snapshot: Snapshot, document: StateDocument, environment: str) -> str | None:
    """Return why a document may not take the place of a state unless it is forced to."""
    if document.environment != environment:
        return f"the document is the state of environment `{document.environment}`, and this is `{environment}`"
    if is_empty(snapshot):
        return None
    if document.lineage != snapshot.lineage:
        return f"the document is of the lineage {document.lineage}, and the state of another: {snapshot.lineage}"
    if document.serial < snapshot.serial:
        return f"the document is older (serial {document.serial}) than the state (serial {snapshot.serial})"
    if document.serial == snapshot.serial:
        return f"the state is another one of the same serial {snapshot.serial}: both were changed since"
    if not goes_on(snapshot, document):
        return "the history of the document lacks what has happened here since: both were changed"
    return None


def forced_serial(snapshot: Snapshot, document: StateDocument) -> int:
    """Return the serial of a document that is forced upon a state: none that the state has had is given again."""
    return document.serial if is_empty(snapshot) else max(document.serial, snapshot.serial + 1)
