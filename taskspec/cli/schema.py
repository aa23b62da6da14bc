"""`taskspec schema`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from taskspec.cli.printing import note, say_text
from taskspec.errors import TaskspecError, UsageError

PUBLISHED: Final[Mapping[str, str]] = {
    "manifest": "manifest.v1",
    "plan": "plan.v1",
    "state": "state.v1",
    "provenance": "provenance.v1",
    "events": "events.v1",
}
"""The schemas by the name that a person gives; their files bear the version."""


@click.command()
@click.argument("name", type=click.Choice(list(PUBLISHED)), default="manifest")
@click.option(
    "--write",
    "file",
    is_flag=False,
    flag_value="",
    metavar="[FILE]",
    help="Write it to a file instead (default: schemas/NAME.v1.json in the current folder).",
)
def schema(name: str, file: str | None) -> int:
    """Print a published JSON Schema, or write it to a file for editors.

    NAME is `manifest` (the default: the manifests that you write), `plan` (what `taskspec plan --json` prints),
    `state` (what `taskspec state pull` writes), `events` (the lines of `taskspec apply --json`) or `provenance` (what
    stands beside each result file).
    """
    from taskspec.contracts import schema_text

    text = schema_text(PUBLISHED[name])
    if file is None:
        say_text(text)
        return 0
    path = Path(file or f"schemas/{PUBLISHED[name]}.json")
    _write(path, text)
    note(f"{path} written.")
    if name == "manifest":
        note(f"Editors use it where a manifest begins with: # yaml-language-server: $schema={path}")
    return 0


def _write(path: Path, text: str) -> None:
    """Write a schema; a file that is no schema of ours is not overwritten."""
    if path.suffix != ".json":
        raise UsageError(f"`{path}` does not end in .json.", hint="Write, for example, --write manifest.v1.json.")
    try:
        if path.exists() and "urn:taskspec:" not in path.read_text(encoding="utf-8", errors="replace"):
            hint = "Name another file, or remove it."
            raise TaskspecError(f"`{path}` is there already, and is no schema of taskspec.", hint=hint)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as trouble:
        raise TaskspecError(f"`{path}` cannot be written: {trouble.strerror}.") from trouble
