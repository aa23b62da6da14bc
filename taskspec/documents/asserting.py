"""The assertions of a task as they are written: what is wrong with them, and where. Holds no answer against them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from taskspec.contracts import Contract, InvalidSchemaError, schema_flaws
from taskspec.diagnostics import Diagnostic, path_text
from taskspec.documents.hinting import reference_path, schema_way_out
from taskspec.documents.model import Document
from taskspec.expressions.evaluating import compile_expression
from taskspec.expressions.model import WrongExpressionError
from taskspec.jsonpaths import JsonPath, WrongPathError

NAMES: Final = ("value", "result", "json")
"""What an expression sees: what the path selects (else the answer), the answer as text, the answer parsed."""
LENGTHS: Final = ("minLength", "maxLength")
CHECKS: Final = ("expr", "regex", "schema", *LENGTHS)
_ONE: Final = "Give it one of `expr`, `regex`, `schema`, `minLength`, `maxLength`."

_Path = tuple[str | int, ...]


def wrong_assertions(document: Document, path: _Path, written: Any) -> Iterator[Diagnostic]:
    """Find what is wrong with each of the assertions at a path; what has a wrong type is told elsewhere."""
    for index, assertion in enumerate(written if isinstance(written, list) else ()):
        if isinstance(assertion, Mapping):
            yield from _Assertion(document, (*path, index), assertion).findings()


class _Assertion:
    """One written assertion, and where it stands."""

    def __init__(self, document: Document, path: _Path, written: Mapping[str, Any]) -> None:
        self._document = document
        self._path = path
        self._written = written

    def findings(self) -> Iterator[Diagnostic]:
        yield from self._number_of_checks()
        yield from self._json_path()
        yield from self._expression()
        yield from self._regex()
        yield from self._schema()

    def _number_of_checks(self) -> Iterator[Diagnostic]:
        name = path_text(self._path)
        checks = [check for check in self._written if check in CHECKS]
        if not checks:
            position = self._document.position(self._path)
            yield Diagnostic(summary="Missing check", detail=f"`{name}` checks nothing.", hint=_ONE, position=position)
        one = LENGTHS if checks and checks[0] in LENGTHS else checks[:1]
        for other in checks:
            if other not in one:
                yield Diagnostic(
                    summary="Contradicting fields",
                    detail=f"`{name}` has `{checks[0]}` and `{other}`, and an assertion has one check.",
                    hint="Make two assertions of it.",
                    position=self._document.position((*self._path, other), key=True),
                )
        least, most = (self._written.get(length) for length in LENGTHS)
        if isinstance(least, int) and isinstance(most, int) and least > most:
            yield Diagnostic(
                summary="Contradicting fields",
                detail=f"`{name}` asks for at least {least} and for at most {most}, which nothing can hold.",
                hint="Exchange the two.",
                position=self._document.position((*self._path, "maxLength")),
            )

    def _json_path(self) -> Iterator[Diagnostic]:
        text = self._text("path")
        if text is None:
            return
        try:
            JsonPath(text)
        except WrongPathError as trouble:
            yield self._wrong("path", "Wrong JSON path", trouble.message, trouble.hint, (1, trouble.column))

    def _expression(self) -> Iterator[Diagnostic]:
        text = self._text("expr")
        if text is None:
            return
        try:
            expression = compile_expression(text, NAMES)
        except WrongExpressionError as trouble:
            yield self._wrong("expr", "Wrong expression", trouble.message, trouble.hint, (trouble.line, trouble.column))
            return
        for pattern in expression.patterns:
            if wrong := wrong_pattern(pattern.text):
                yield self._wrong(
                    "expr", "Wrong regular expression", wrong[0], wrong[1], (pattern.line, pattern.column)
                )

    def _regex(self) -> Iterator[Diagnostic]:
        text = self._text("regex")
        if text is not None and (wrong := wrong_pattern(text)):
            yield self._wrong("regex", "Wrong regular expression", wrong[0], wrong[1], (1, wrong[2]))

    def _schema(self) -> Iterator[Diagnostic]:
        schema = self._written.get("schema")
        if not isinstance(schema, Mapping):
            return
        path = (*self._path, "schema")
        try:
            Contract(schema, linear=True)
        except InvalidSchemaError as first:
            for trouble in schema_flaws(schema, first):
                at = trouble.path or reference_path(schema, str(trouble))
                is_pattern = "regex" in str(trouble)
                linear = "Patterns in it take no look-around and no back-references."
                yield Diagnostic(
                    summary="Invalid JSON Schema",
                    detail=f"`{path_text(path)}` is not a valid JSON Schema: {trouble}.",
                    hint=linear if is_pattern else schema_way_out(at),
                    position=self._document.position((*path, *at)),
                )

    def _text(self, name: str) -> str | None:
        text = self._written.get(name)
        return text if isinstance(text, str) and text else None

    def _wrong(self, name: str, summary: str, message: str, hint: str, at: tuple[int, int]) -> Diagnostic:
        path = (*self._path, name)
        detail = f"`{path_text(path)}`: {message}"
        return Diagnostic(summary=summary, detail=detail, hint=hint, position=self._document.text_position(path, *at))


def wrong_pattern(pattern: str) -> tuple[str, str, int] | None:
    """Return what is wrong with a regular expression, a way out and a column (from 1); None where nothing is."""
    try:
        Contract({"pattern": pattern}, linear=True)
    except InvalidSchemaError:
        pass
    else:
        return None
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as trouble:
        column = getattr(trouble, "pos", None)
        said = getattr(trouble, "msg", "it is too large")
        return f"It is no regular expression: {said}.", "A `\\` before a sign takes it as it is.", (column or 0) + 1
    hint = "Leave out look-around `(?=…)` and back-references `\\1`, or repeat less."
    return "It is too large, or cannot be matched in linear time.", hint, 1
