"""Writes schemas/events.v1.json from the classes of taskspec/events.py. Knows no event by its name.

    python docs/make_events.py

What a class and a field mean is told by their docstrings, so that schema and code cannot differ. A field with a
default is always written, and was not there in the first version of its event: a reader does not rely on it.
"""

import ast
import inspect
import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from taskspec import events
from taskspec.address import Address
from taskspec.plan.model import Action
from taskspec.report.jsonlines import FORMAT
from taskspec.state.model import StopCause, Verdict

SCHEMA = Path(__file__).parents[1] / "schemas" / "events.v1.json"
WORDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("ChangeDecided", "action"): tuple(Action),
    ("ChangeFinished", "action"): tuple(Action),
    ("ChangeFinished", "verdict"): tuple(Verdict),
    ("RunEnded", "verdict"): tuple(Verdict),
    ("RunStopped", "cause"): (*StopCause, "duplicate"),
}
"""The fields that are texts in the code, and hold one of some words."""
ABOUT = (
    "What `--json` writes while `taskspec apply` and others work: one object a line. A reader leaves out the events "
    "and fields that it does not know. A line without `event` tells an error."
)


def kinds() -> dict[str, type[events.Event]]:
    """Return the classes of events by their names, in the order of the module."""
    found = vars(events).values()
    classes = [kind for kind in found if isinstance(kind, type) and issubclass(kind, events.Event)]
    return {kind.__name__: kind for kind in classes if kind is not events.Event}


def schema() -> dict[str, Any]:
    """Return the schema of a line."""
    known = kinds()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:taskspec:schema:events:v1",
        "title": "taskspec events",
        "description": ABOUT,
        "type": "object",
        "if": {"required": ["event"]},
        "then": {
            "required": ["format", "event", "time"],
            "properties": {
                "format": {"const": FORMAT, "description": "It rises when a field changes its meaning."},
                "event": {"type": "string", "examples": list(known)},
                "time": {"type": "string", "format": "date-time", "description": "When it was told."},
            },
            "allOf": [
                {"if": {"properties": {"event": {"const": name}}}, "then": {"$ref": f"#/$defs/{name}"}}
                for name in known
            ],
        },
        "else": {"$ref": "#/$defs/error"},
        "$defs": {**{name: _definition(kind) for name, kind in known.items()}, "error": _ERROR},
    }


_ERROR: dict[str, Any] = {
    "description": "What went wrong, where it was more than an event tells.",
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "hint", "exitCode"],
            "properties": {
                "message": {"type": "string"},
                "hint": {"type": "string"},
                "exitCode": {"type": "integer"},
            },
        }
    },
}


def _definition(kind: type[events.Event]) -> dict[str, Any]:
    hints, told = get_type_hints(kind), _told(kind)
    properties = {}
    for field in fields(kind):
        described = {"description": told[field.name]} if field.name in told else {}
        properties[field.name] = {**_type(hints[field.name], WORDS.get((kind.__name__, field.name))), **described}
    return {
        "description": " ".join(inspect.cleandoc(kind.__doc__ or "").split()),
        "type": "object",
        "required": [field.name for field in fields(kind) if field.default is MISSING],
        "properties": properties,
    }


def _told(kind: type) -> dict[str, str]:
    """Return what the docstrings behind the fields of a class say."""
    (tree,) = ast.parse(inspect.getsource(kind)).body
    found: dict[str, str] = {}
    name = ""
    for node in tree.body if isinstance(tree, ast.ClassDef) else ():
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)):
                pass
            case ast.Expr(value=ast.Constant(value=str(text))) if name:
                found[name] = " ".join(inspect.cleandoc(text).split())
            case _:
                pass
    return found


def _type(hint: Any, words: tuple[str, ...] | None) -> dict[str, Any]:
    if get_origin(hint) in {Union, types.UnionType}:
        (kept,) = [part for part in get_args(hint) if part is not type(None)]
        one = _type(kept, words)
        more = {"enum": [*one["enum"], None]} if "enum" in one else {}
        return {**one, **more, "type": [one["type"], "null"]}
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _type(get_args(hint)[0], None)}
    if hint is Address:
        return {"type": "string"}
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return {"type": "string", "enum": [str(word) for word in hint]}
    if words is not None:
        return {"type": "string", "enum": list(map(str, words))}
    return {"type": {str: "string", bool: "boolean", int: "integer", float: "number"}[hint]}


def text() -> str:
    """Return the schema as it is written."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(text(), encoding="utf-8")
