"""Owning: which attempt a run belongs to, so that no answer of a remote makes one run that of two. Asks nobody."""

from collections.abc import Mapping

from taskspec.address import Address
from taskspec.errors import OutcomeUnknownError
from taskspec.markers import bears, marker_in
from taskspec.state.model import Attempt, Record
from taskspec.taskapi.records import TaskRecord


class Owners:
    """The runs of one remote, each with the nonce of the attempt that has it."""

    def __init__(self) -> None:
        self._nonces: dict[str, str] | None = None

    def claim(self, found: TaskRecord, attempt: Attempt, records: Mapping[Address, Record]) -> None:
        """Note the run with which a create was answered; raise OutcomeUnknownError where it is that of another."""
        if self._nonces is None:
            everything = (one for record in records.values() for one in record.generation.attempts)
            self._nonces = {one.run: one.nonce for one in everything if one.run and one.remote == attempt.remote}
        bears_another = marker_in(found.title) is not None and not bears(found.title, attempt.marker)
        if bears_another or self._nonces.setdefault(found.id, attempt.nonce) != attempt.nonce:
            raise OutcomeUnknownError(f"The remote answered with run {found.id}, which is that of another create.")
