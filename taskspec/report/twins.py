"""Creates that the remote has twice, in words: as they were planned, or as an apply has met them. Judges nothing."""

from collections.abc import Iterator

from taskspec.address import Address
from taskspec.events import DuplicatesFound
from taskspec.report.account import Account
from taskspec.report.narrating import of_duplicates
from taskspec.report.plans import duplicated
from taskspec.report.text import UNCLAIMED
from taskspec.report.verdicts import has_begun


def twins(account: Account) -> Iterator[tuple[Address | None, str]]:
    """Yield whose create the remote has twice, and a sentence that names its runs."""
    for one in account.plan.duplicates if account.plan is not None and not has_begun(account) else ():
        yield one.address, duplicated(one)
    for event in (one.event for one in account.heard):
        if isinstance(event, DuplicatesFound):
            yield event.address, f"{event.address or UNCLAIMED}: {of_duplicates(event)}"
