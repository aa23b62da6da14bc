"""`taskspec results`."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from taskspec.cli import options
from taskspec.cli.aiming import all_meant
from taskspec.cli.printing import note, say, say_json_list, say_text
from taskspec.cli.wiring import Wiring
from taskspec.errors import UsageError

if TYPE_CHECKING:
    from taskspec.state.model import Accepted, Record


@click.command()
@options.targets
@options.variables
@options.as_json
def results(
    words: Sequence[str], project: Path | None, exclude: Sequence[str], given: Sequence[str], as_json: bool
) -> int:
    """List accepted results, or print the one of an address.

    It is printed where one address is given and nothing else; every other selector gives a list.
    Reads the state, not the results folder: what is printed is what was accepted.
    """
    from taskspec.runner import telling
    from taskspec.runner.choosing import nothing_chosen

    invocation = options.invocation(words, project, given, exclude=exclude)
    address = invocation.selection.only
    ports = Wiring(invocation.settings)
    with telling.results(invocation, ports) as opened:
        if not opened.selected and not invocation.selection.everything:
            note(nothing_chosen(invocation.selection))
        if as_json:
            rows = (_json(record, accepted, opened.content(accepted)) for record, accepted in opened.found)
            say_json_list("results", rows)
        elif address is None or opened.selected != (address,):
            say(all_meant(_table(opened.found, everything=invocation.selection.everything)))
        elif opened.found:
            say_text(opened.content(opened.found[0][1]))
        else:
            raise UsageError(
                f"`{address}` has no accepted result.", hint=f"`taskspec status {quote(address)}` tells how it stands."
            )
    return 0


def _json(record: "Record", accepted: "Accepted", content: str) -> dict[str, Any]:
    return {
        "address": record.address,
        "generation": accepted.generation,
        "run": accepted.run,
        "fingerprint": accepted.fingerprint,
        "acceptedAt": accepted.at,
        "sha256": accepted.result.digest,
        "format": accepted.result.format,
        "content": content,
    }


def _table(found: "Sequence[tuple[Record, Accepted]]", *, everything: bool) -> list[str]:
    from taskspec.moments import utc
    from taskspec.report.text import columns, in_line

    if not found and not everything:
        return ["No result of what is selected is accepted yet."]
    if not found:
        return ["No result is accepted yet: `taskspec apply` makes the first."]
    rows = [("ADDRESS", "GENERATION", "FORMAT", "BYTES", "ACCEPTED")]
    for record, accepted in found:
        size, form = str(accepted.result.size), in_line(accepted.result.format)
        rows.append((record.address, f"g{accepted.generation}", form, size, utc(accepted.at)))
    return columns(rows)
