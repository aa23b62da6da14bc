"""A place → the store that keeps a state there. Loads what one kind of store needs for that kind alone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from taskspec.documents.places import Place, PlaceKind, shown
from taskspec.errors import StateError
from taskspec.state.model import TTL
from taskspec.state.registers.port import Register
from taskspec.state.store import StateStore

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LONGEST: Final = 200
"""Characters of a name that every store takes, with all that it puts around it."""
_EXTRAS: Final = {PlaceKind.POSTGRES: ("psycopg", "postgres"), PlaceKind.OBJECTS: ("obstore", "objectstore")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which state is to be opened, and how. `folder` is where a local one is kept; `ttl` in seconds."""

    folder: Path
    project: str
    environment: str
    read_only: bool
    ttl: float = TTL
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The process environment, for the stores whose credentials are there."""


def open_store(place: Place, wanted: Wanted) -> StateStore:
    """Return the store of a place; nothing is connected to before it is needed.

    Raises StateError where the extra of taskspec that it needs is not installed.
    """
    for what, name in (("an environment", wanted.environment), ("a state", place.name or wanted.environment)):
        if not _NAME.fullmatch(name):
            raise StateError(
                f"`{name}` cannot name {what}, because its state is kept under that name.",
                hint="Use letters, digits, `-`, `_` and `.`, beginning with a letter or a digit.",
            )
        if len(name) > _LONGEST:
            raise StateError(
                f"A name of {len(name)} characters cannot name {what}: {name[:20]}…",
                hint=f"Use {_LONGEST} characters at most.",
            )
    if place.kind in _EXTRAS:
        _require(place, *_EXTRAS[place.kind])
    name = place.name or wanted.project
    match place.kind:
        case PlaceKind.LOCAL:
            from taskspec.state.sqlite import SqliteState

            return SqliteState(wanted.folder, wanted.project, wanted.environment, read_only=wanted.read_only)
        case PlaceKind.POSTGRES:
            from taskspec.state.postgres.store import PostgresState

            return PostgresState(
                place.url,
                name=name,
                project=wanted.project,
                environment=wanted.environment,
                read_only=wanted.read_only,
                ttl=wanted.ttl,
            )
        case PlaceKind.OBJECTS:
            from taskspec.state.objects.driver import ObjectRegister

            objects = ObjectRegister(
                place.url, name, wanted.environment, read_only=wanted.read_only, environ=wanted.environ
            )
            return _registered(objects, wanted)
        case PlaceKind.HTTP:
            from taskspec.state.terraform.access import access_to
            from taskspec.state.terraform.driver import TerraformRegister

            return _registered(TerraformRegister(access_to(place.url, wanted.environ)), wanted, name)


def _registered(register: Register, wanted: Wanted, owner: str | None = None) -> StateStore:
    """Return the state in a register; `owner`: whose it must be, where the register does not tell by where it is."""
    from taskspec.state.registers.store import RegisteredState

    return RegisteredState(
        register,
        owner or wanted.project,
        wanted.environment,
        read_only=wanted.read_only,
        owner=owner,
        ttl=wanted.ttl,
    )


def _require(place: Place, module: str, extra: str) -> None:
    if find_spec(module) is None:
        raise StateError(
            f"The state is kept at {shown(place.url)}, and what reads it there is not installed.",
            hint=f"Install taskspec with its extra `{extra}`: in a clone of its repository, pip install '.[{extra}]'",
        )
