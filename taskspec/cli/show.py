"""`taskspec show`."""

import sys
from pathlib import Path

import click

from taskspec.cli import options
from taskspec.cli.printing import paint_for, say, say_json, say_wrapped


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@options.project
@options.as_json
def show(file: Path, project: Path | None, as_json: bool) -> int:
    """Show a saved plan, and whether it can still be applied.

    FILE is what `taskspec plan --out` has written. Reads the state, where there is one, and asks no remote. Exits with
    7 where it cannot be applied any more, and with 6 where it was refused when it was made.
    """
    from taskspec.cli.wiring import Wiring
    from taskspec.report.exiting import ExitCode, foremost
    from taskspec.report.plans import lines
    from taskspec.runner.saved import load
    from taskspec.runner.showing import obstacles

    saved = load(file)
    invocation = options.invocation((), project or Path())
    found = obstacles(saved, invocation, Wiring(invocation.settings))
    paint = paint_for(sys.stdout)
    if as_json:
        plan = {key: value for key, value in saved.document.items() if key not in {"saved", "digest"}}
        say_json({"digest": saved.digest, "obstacles": found, "plan": plan})
    else:
        say([f"{paint('warning', 'warning')}: {one}" for one in found])
        say_wrapped(lines(saved.plan, paint))
        say([f"Digest: {saved.digest}"])
    refused = [ExitCode.REFUSED] if saved.plan.refusals else []
    return foremost([ExitCode.STALE, *refused] if found else refused)
