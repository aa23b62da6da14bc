"""Packing: an account → Markdown documents that are each no longer than a limit, with as much detail as fits.

First less is told of each task, then there are several documents, and what then has no room is counted. Lengths are in
bytes: then they hold whatever a platform counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from taskspec.plan.tallying import Roots, roots_of
from taskspec.report.account import Account
from taskspec.report.markdown.detail import DETAILS, Detail
from taskspec.report.markdown.escaping import marker
from taskspec.report.markdown.heading import head, title
from taskspec.report.markdown.tasks import bullet, is_told, section
from taskspec.report.risks import common_risks
from taskspec.report.text import plural
from taskspec.report.unwell import is_unwell

MOST_SECTIONS: Final = 300
"""So many tasks are told of in full."""
_RESERVE: Final = 600
"""Bytes for what is said at the end of a document."""
_FAR: Final = 4
"""What is so many times too long is not tried with hardly less."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Drawn:
    """The parts of a report: its head, and each task in full and in one line."""

    head: str
    sections: Sequence[tuple[str, str]]
    more: int
    """Tasks of which there is something to tell, and no room."""


def whole(account: Account) -> str:
    """Return everything in one document, however long."""
    drawn = _drawn(account, DETAILS[0], len(account.tasks))
    return "\n\n".join([drawn.head, *(full for full, _ in drawn.sections), _foot(account, drawn.more)]) + "\n"


def packed(account: Account, limit: int, most: int = 1) -> Sequence[str]:
    """Return at most so many documents, each of at most `limit` bytes."""
    drawn = _drawn(account, DETAILS[0], MOST_SECTIONS)
    size, index = _size(drawn), 0
    while size > limit and index < len(DETAILS) - 1:
        index = min(index + (2 if size > _FAR * limit else 1), len(DETAILS) - 1)
        drawn = _drawn(account, DETAILS[index], MOST_SECTIONS)
        size = _size(drawn)
    return _divided(account, drawn, limit, most)


def marked(account: Account, limit: int, most: int) -> Sequence[str]:
    """Return comments: documents each of which begins with its hidden marker."""
    name = account.project or "taskspec"
    room = limit - len(marker(name, account.environment, most).encode()) - 1
    found = packed(account, room, most)
    return [f"{marker(name, account.environment, part)}\n{text}" for part, text in enumerate(found, 1)]


def _drawn(account: Account, detail: Detail, most: int) -> _Drawn:
    plan = account.plan
    roots: Roots = roots_of(plan) if plan is not None else {}
    common = common_risks(plan) if plan is not None else ()
    told = sorted((task for task in account.tasks if is_told(task)), key=lambda task: not is_unwell(task))
    sections = [(section(task, account, roots, common, detail), bullet(task, account)) for task in told[:most]]
    return _Drawn(head=head(account, roots, detail), sections=sections, more=max(len(told) - most, 0))


def _size(drawn: _Drawn) -> int:
    return sum(len(full.encode()) + 2 for full, _ in drawn.sections) + len(drawn.head.encode()) + _RESERVE


def _divided(account: Account, drawn: _Drawn, limit: int, most: int) -> Sequence[str]:
    room = limit - _RESERVE
    documents: list[list[str]] = [[drawn.head]]
    used, left_out = len(drawn.head.encode()), drawn.more
    for full, short in drawn.sections:
        again = title(account, len(documents) + 1)
        fits_alone = len(full.encode()) + len(again.encode()) + 4 <= room
        text = full if fits_alone else short
        size = len(text.encode()) + 2
        if used + size > room:
            if len(documents) == most:
                left_out += 1
                continue
            documents.append([again])
            used = len(again.encode())
        documents[-1].append(text)
        used += size
    if len(documents) > 1:
        documents[0].append(f"This goes on in {plural(len(documents) - 1, 'more comment')}.")
    documents[-1].append(_foot(account, left_out))
    return ["\n\n".join(filter(None, parts)) + "\n" for parts in documents]


def _foot(account: Account, left_out: int) -> str:
    """Return how many tasks nothing was said of; nothing where there are none."""
    plan = account.plan
    same = sum(1 for task in account.tasks if not is_told(task)) + (plan.unlisted if plan is not None else 0)
    said = [f"{plural(same, 'task')} unchanged." if same else ""]
    if left_out:
        said.append(
            f"{plural(left_out, 'more task')} not shown here for want of room: `taskspec plan` or `status` shows all."
        )
    return " ".join(filter(None, said))
