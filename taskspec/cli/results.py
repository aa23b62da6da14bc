"""`taskspec results`: accepted results and older ones, read, compared, exported, and removed where they are too old."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

import click

from taskspec.cli import options
from taskspec.cli.aiming import all_meant
from taskspec.cli.printing import note, paint_for, say, say_json, say_json_list, say_text, say_wrapped, width_of
from taskspec.cli.usual import UsualGroup
from taskspec.cli.wiring import Wiring
from taskspec.errors import UsageError

if TYPE_CHECKING:
    from taskspec.address import Address
    from taskspec.runner.model import Invocation, Ports
    from taskspec.runner.retrieving import Past
    from taskspec.state.model import Accepted, Record

_GENERATION: Final = re.compile(r"g([0-9]{1,9})")


class Generation(click.ParamType[int]):
    """A generation, as everything names it: `g3`; becomes its number."""

    name = "generation"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number of a generation."""
        if isinstance(value, int):
            return value
        found = _GENERATION.fullmatch(str(value).strip())
        if found is None:
            self.fail(f"`{value}` is no generation; write g1, g2 … as `--history` lists them.", param, ctx)
        return int(found[1])


@click.group(cls=UsualGroup)
def results() -> None:
    """List accepted results, print one, compare two answers, export or remove results.

    `taskspec results [ADDRESS]` is short for `taskspec results show [ADDRESS]`, which also reaches a task that has the
    name of a command: `taskspec results show export`.
    """


@results.command()
@options.targets
@options.variables
@click.option("--generation", type=Generation(), metavar="gN", help="Print the answer of an older generation.")
@click.option(
    "--diff",
    "pair",
    nargs=2,
    type=Generation(),
    metavar="gA gB",
    help="Show in what the answers of two generations differ, and what they were asked.",
)
@click.option("--history", "--all", "listed", is_flag=True, help="List the generations of the address.")
@options.as_json
def show(
    words: Sequence[str],
    project: Path | None,
    exclude: Sequence[str],
    given: Sequence[str],
    generation: int | None,
    pair: tuple[int, int] | None,
    listed: bool,
    as_json: bool,
) -> int:
    """List accepted results, or print the one of an address.

    It is printed where one address is given and nothing else; every other selector gives a list.
    Reads the state, not the results folder: what is printed is what was accepted.
    """
    invocation = options.invocation(words, project, given, exclude=exclude)
    ports = Wiring(invocation.settings)
    asked = [name for name, one in (("--generation", generation), ("--diff", pair)) if one is not None]
    asked += ["--history"] if listed else []
    if len(asked) > 1:
        raise UsageError(f"{asked[0]} and {asked[1]} ask for two things.", hint="Keep one of the two.")
    if not asked:
        return _accepted(invocation, ports, as_json=as_json)
    from taskspec.runner import retrieving

    with retrieving.past(invocation, ports) as past:
        if pair is not None:
            _contrast(past, pair, as_json=as_json)
        elif generation is not None:
            _one(past, generation, as_json=as_json)
        else:
            _listed(past, as_json=as_json)
    return 0


def _contrast(past: "Past", pair: tuple[int, int], *, as_json: bool) -> None:
    from taskspec.report.answers import Answered, contrast_lines, contrast_object

    found = [past.of(number) for number in pair]
    before, after = (Answered(generation=one, content=past.content(one)) for one in found)
    if as_json:
        say_json({"address": past.address, **contrast_object(before, after)})
        return
    paint = paint_for(sys.stdout)
    head = f"{paint(past.address, 'strong')}  g{pair[0]} → g{pair[1]}"
    say_wrapped(all_meant([head, *contrast_lines(before, after, paint)]))


def _one(past: "Past", generation: int, *, as_json: bool) -> None:
    from taskspec.report.answers import generation_object

    found = past.of(generation)
    content = past.content(found)
    if as_json:
        say_json({"address": past.address, **generation_object(found), "content": content})
    else:
        say_text(content)


def _listed(past: "Past", *, as_json: bool) -> None:
    from taskspec.report.answers import generation_lines, generation_object

    if as_json:
        say_json_list("generations", map(generation_object, past.generations), {"address": past.address})
    else:
        say(all_meant(generation_lines(past.generations, paint_for(sys.stdout), width_of(sys.stdout))))


def _accepted(invocation: "Invocation", ports: "Ports", *, as_json: bool) -> int:
    from taskspec.runner import telling
    from taskspec.runner.choosing import nothing_chosen

    address = invocation.selection.only
    with telling.results(invocation, ports) as opened:
        if not opened.selected and not invocation.selection.everything:
            note(nothing_chosen(invocation.selection))
        if as_json:
            rows = (_json(record, accepted, opened.content(accepted)) for record, accepted in opened.found)
            say_json_list("results", rows)
        elif address is None or opened.selected != (address,):
            say_wrapped(all_meant(_table(opened.found, everything=invocation.selection.everything)))
        elif opened.found:
            say_text(opened.content(opened.found[0][1]))
        else:
            raise _no_result(address, invocation, ports)
    return 0


def _no_result(address: "Address", invocation: "Invocation", ports: "Ports") -> UsageError:
    """Return the error for a task without an accepted result: it names an answer that is kept all the same."""
    from taskspec.runner import retrieving

    hint = f"`taskspec status {quote(address)}` tells how it stands."
    with retrieving.past(invocation, ports) as past:
        kept = next((one.number for one in past.generations if one.unaccepted is not None), None)
    if kept is not None:
        hint += f" `taskspec results {quote(address)} --generation g{kept}` prints the answer that was not accepted."
    return UsageError(f"`{address}` has no accepted result.", hint=hint)


@results.command()
@options.targets
@options.variables
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), metavar="PATH", help="A folder, or a file; - for stdout."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["files", "json", "csv"]),
    help="As files in a folder, one JSON document, or one table (default: as the name of PATH ends, else files).",
)
@click.option("--all-generations", is_flag=True, help="Every result that is kept, not only the accepted ones.")
@click.option("--raw", is_flag=True, help="In a table: leave cells as they are that a spreadsheet takes for formulas.")
def export(
    words: Sequence[str],
    project: Path | None,
    exclude: Sequence[str],
    given: Sequence[str],
    out: Path,
    form: str | None,
    all_generations: bool,
    raw: bool,
) -> int:
    """Write accepted results to a folder, to one JSON document or to one table.

    Files are written with their provenance beside them; a file that taskspec has not written is never replaced. A cell
    of a table that begins with `=`, `+`, `-`, `@`, a tab or a line break gets an apostrophe before it, so that no
    spreadsheet takes it for a formula.
    """
    from taskspec.cli.exporting import Target

    invocation = options.invocation(words, project, given, exclude=exclude)
    target = Target.of(out, form, raw=raw)
    return target.write(invocation, Wiring(invocation.settings), all_generations=all_generations)


@results.command()
@options.targets
@options.variables
@options.locking
@click.option("--dry-run", is_flag=True, help="Show what would be removed, and remove nothing.")
@click.option("-y", "--yes", is_flag=True, help="Remove without asking.")
@options.as_json
def prune(
    words: Sequence[str],
    project: Path | None,
    exclude: Sequence[str],
    given: Sequence[str],
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Remove the older results that the `retention` of their tasks keeps no longer.

    Every apply does so at its end, for what it is about; this does it by hand. What is accepted now is never removed,
    nor what another task has answered too. The history stays, and tells what was removed.
    """
    from taskspec.cli.pruning import prune_by_hand

    invocation = options.invocation(words, project, given, exclude=exclude)
    return prune_by_hand(invocation, Wiring(invocation.settings), dry_run=dry_run, yes=yes, as_json=as_json)


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
    from taskspec.report.fitting import cut, first_word, fitted, shorter, without
    from taskspec.report.text import columns, in_line

    if not found and not everything:
        return ["No result of what is selected is accepted yet."]
    if not found:
        return ["No result is accepted yet: `taskspec apply` makes the first."]
    rows = [("ADDRESS", "GENERATION", "FORMAT", "BYTES", "ACCEPTED")]
    for record, accepted in found:
        size, form = str(accepted.result.size), in_line(accepted.result.format)
        rows.append((record.address, f"g{accepted.generation}", form, size, utc(accepted.at)))
    day = shorter("ACCEPTED", first_word)
    less = (without("FORMAT"), without("BYTES"), day, without("ACCEPTED"), cut("ADDRESS"))
    return columns(fitted(rows, width_of(sys.stdout), *less))
