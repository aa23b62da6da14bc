"""Records that are to stand under other addresses, in words. Moves none of them, and asks nobody."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from taskspec.address import Address
from taskspec.report.text import Paint
from taskspec.state.model import Record, Sending


@dataclass(frozen=True, kw_only=True, slots=True)
class Relocation:
    """A record as it will be, and the address that it has now."""

    before: Address
    record: Record

    @property
    def is_unsettled(self) -> bool:
        """Tell whether nobody knows yet if the remote has its newest run."""
        last = self.record.generation.last
        return last is not None and last.sending is Sending.INTENDED


def relocation_lines(relocations: Iterable[Relocation], paint: Paint) -> Iterator[str]:
    """Yield what is to be moved, and what there is to know of it."""
    for one in relocations:
        record = one.record
        kept = f", result of g{record.accepted.generation}" if record.accepted else ""
        name = paint(f"{one.before} → {record.address}", "strong")
        yield f"{paint('→', 'change')} {name}  (g{record.generation.number}{kept})"
        if one.is_unsettled:
            text = "whether its run is there is not known yet: the next apply looks for it by the marker that was sent"
            yield f"    {paint('!', 'warning')} {text}"
