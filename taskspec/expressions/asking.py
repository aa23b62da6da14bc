"""What an expression asks of the names that it takes from outside, and the conditions it is made of. Evaluates none."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from taskspec.expressions.parsing import Parsed


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A field of a name from outside, by its path from that name on, and where its last step stands."""

    path: tuple[str, ...]
    line: int
    column: int


def asked(parsed: Parsed) -> Iterator[Asked]:
    """Yield each field that an expression names literally: `change.labels.team`, `plan['counts'].stop`."""
    for node in ast.walk(parsed.body):
        path = _path(node)
        if len(path) > 1 and path[0] in parsed.names:
            line, column = parsed.place(node)
            yield Asked(path=path, line=line, column=column)


def conditions(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the parts of a condition that each have a value of their own, whatever the others say."""
    match node:
        case ast.BoolOp(values=values):
            for value in values:
                yield from conditions(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from conditions(operand)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            for part in (test, body, orelse):
                yield from conditions(part)
        case _:
            yield node


def _path(node: ast.AST) -> tuple[str, ...]:
    """Return the path that a part is; nothing where it is none."""
    match node:
        case ast.Name(id=name):
            return (name,)
        case ast.Attribute(value=whole, attr=field) | ast.Subscript(value=whole, slice=ast.Constant(value=str(field))):
            above = _path(whole)
            return (*above, field) if above else ()
        case _:
            return ()
