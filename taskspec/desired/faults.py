"""What the template engine complains of → a fault in words, at its place. Renders nothing."""

import re
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final

from jinja2 import Template, TemplateError, TemplateRuntimeError
from jinja2.utils import missing

from taskspec.desired import wording
from taskspec.desired.callables import BOUNDED, TAKEN, TESTS
from taskspec.desired.sandbox import UnknownNameError
from taskspec.desired.scope import WRONG_VALUES, WrongTemplateError
from taskspec.diagnostics import nearest

FAULTS: Final = (WrongTemplateError, TemplateError, *WRONG_VALUES)
"""All that a rendering raises for a mistake of the author."""


def fault_of(error: BaseException, names: Mapping[str, Any]) -> WrongTemplateError:
    """Return what is to be said to the author of what a rendering raised, with its place."""
    match error:
        case WrongTemplateError():
            fault = error
        case UnknownNameError(holder=holder, name=name) if holder is missing and name in names:
            way = f"Hand it over as an argument, or import the macro `with context`: then it sees `{name}`."
            fault = WrongTemplateError(f"A macro that is imported does not see `{name}`.", hint=way, name=name)
        case UnknownNameError():
            fault = error.fault(names)
        case TemplateError():
            fault = explained(error)
        case RecursionError():
            fault = WrongTemplateError("The template is nested too deeply.")
        case _:
            detail, hint = wording.computation(error)
            fault = WrongTemplateError(detail, hint=hint)
    places = _places(error.__traceback__)
    if places:
        fault.entry_line = places[0][1]
        if not fault.file:
            fault.file, fault.line = places[-1]
    return fault


def explained(error: TemplateError, *, line: int = 1, file: str = "") -> WrongTemplateError:
    """Return the words for a complaint of the engine."""
    said = (error.message or "The template is not valid.").strip().removesuffix(".")
    absent = re.match(r"No (filter|test) named '(\w+)'", said)
    unexported = re.match(r"the template '(.*)' \(imported on .*\) does not export the requested name '(\w+)'$", said)
    if absent:
        fault = no_callable(absent[1], absent[2], line=line)
    elif unexported:
        fault = WrongTemplateError(f"`{unexported[1]}` has no macro `{unexported[2]}`.", line=line, name=unexported[2])
        fault.hint = "Its macros are those that it defines with `{% macro … %}`."
        fault.is_of_import = True
    else:
        detail, hint = wording.computation(error) if isinstance(error, TemplateRuntimeError) else wording.syntax(said)
        fault = WrongTemplateError(detail, hint=hint, line=line)
        fault.is_open = wording.is_open(said)
    fault.file = file
    return fault


def no_callable(kind: str, name: str, *, line: int = 1) -> WrongTemplateError:
    """Say that there is no such filter or test."""
    known = TESTS if kind == "test" else TAKEN | BOUNDED.keys()
    hint = nearest(name, known) or f"There are: {', '.join(sorted(known))}."
    return WrongTemplateError(f"There is no {kind} `{name}`.", hint=hint, line=line, name=name)


def _places(trace: TracebackType | None) -> list[tuple[str, int]]:
    """Return file and line of each template that was at work, the outermost first."""
    found = []
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            found.append((template.name or "", template.get_corresponding_lineno(trace.tb_lineno)))
        trace = trace.tb_next
    return found
