"""An account in Markdown: a file, the summary of a job, and the comments of a pull request. Posts nothing."""

from collections.abc import Sequence
from typing import Final

from taskspec.report.account import Account
from taskspec.report.markdown.packing import marked, packed, whole

SUMMARY: Final = 1_000_000
"""Bytes of a job's summary: GitHub takes 1 MiB of one step."""


def page(account: Account) -> str:
    """Return a report as one document, for a file."""
    return whole(account)


def summary(account: Account, limit: int = SUMMARY) -> str:
    """Return a report as one document of at most `limit` bytes."""
    return packed(account, limit)[0]


def comments(account: Account, limit: int, most: int = 10) -> Sequence[str]:
    """Return a report as comments, each of at most `limit` bytes, with its hidden marker in its first line."""
    return marked(account, limit, most)
