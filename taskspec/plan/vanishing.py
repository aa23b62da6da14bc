"""Vanishing: many runs of one remote gone at once, which rather is a wrong remote than lost runs. Changes no plan."""

from collections.abc import Collection, Mapping
from typing import Final

from taskspec.address import Address
from taskspec.observed.model import Absent, Observation
from taskspec.plan.refusals import Refusal, RefusalKind
from taskspec.state.model import GONE, Record, Verdict

MISSING: Final = "missing"
"""The name under which `--override` knows it."""
FEW: Final = 3
"""Fewer runs than this may be lost."""


def vanished(
    records: Mapping[Address, Record], runs: Mapping[str, Observation], overridden: Collection[str]
) -> tuple[Refusal, ...]:
    """Return the refusal where at least `FEW` runs, and more than half of those looked at, are gone.

    Those that were recorded as lost or acknowledged as gone before are none of them: that was decided then.
    All of `runs` are of one remote identity: no other run is ever looked at.
    """
    known = {a.run for record in records.values() for a in record.generation.attempts if a.verdict is Verdict.LOST}
    accepted = (record.accepted for record in records.values() if record.accepted is not None)
    known |= {one.run for one in accepted if one.acknowledged == GONE}
    looked = {run: observation for run, observation in runs.items() if run not in known}
    gone = {run for run, observation in looked.items() if isinstance(observation, Absent)}
    if len(gone) < FEW or 2 * len(gone) <= len(looked) or MISSING in overridden:
        return ()
    addresses = [
        address for address, record in records.items() if any(a.run in gone for a in record.generation.attempts)
    ]
    allowed = max(FEW - 1, len(looked) // 2)
    found = tuple(sorted(addresses))
    return (Refusal(kind=RefusalKind.MISSING, limit=MISSING, allowed=allowed, found=len(gone), addresses=found),)
