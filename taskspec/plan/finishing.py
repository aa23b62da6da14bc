"""Finishing: a deferred task and the accepted results that it uses → the task itself. Reads no result, decides nothing.

A result is text. It is given to the templates as a value, and is never rendered itself.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from taskspec.address import Address
from taskspec.desired.model import DeferredTask, DesiredTask
from taskspec.diagnostics import ManifestError
from taskspec.plan.causes import Reason
from taskspec.plan.upstream_reasons import result_unreadable, template_failed
from taskspec.state.model import Record

NOTHING_COMING: Final[Mapping[Address, str | None]] = MappingProxyType({})


def recorded_results(
    task: DeferredTask,
    records: Mapping[Address, Record],
    contents: Mapping[str, str],
    coming: Mapping[Address, str | None] = NOTHING_COMING,
) -> Mapping[Address, str] | Reason:
    """Return the accepted results that a task uses, given the contents by digest; or why one is not there.

    `coming` are those that are accepted as soon as an apply begins.
    """
    found: dict[Address, str] = {}
    for address in sorted(task.uses):
        record = records.get(address)
        content = contents.get(record.accepted.result.digest) if record and record.accepted else None
        content = coming.get(address, content)
        if content is None:
            return result_unreadable(task, address)
        found[address] = content
    return found


def finished(task: DeferredTask, results: Mapping[Address, str]) -> DesiredTask | Reason:
    """Return the task that the results make; or why its templates cannot be rendered with them."""
    try:
        return task.finish(results)
    except ManifestError as error:
        return template_failed(task, error)
