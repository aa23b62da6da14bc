"""The text of an expression → its checked tree: what is not on the white list is refused. Evaluates nothing."""

import ast
import re
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from taskspec.expressions.functions import FUNCTIONS, OF_ITEMS
from taskspec.expressions.model import DEEPEST, LONGEST, WrongExpressionError, nearest

WORDS: Final = {"true": True, "false": False, "null": None}
_QUOTED: Final = re.compile("'[^']*'|\"[^\"]*\"")
_LINE_END: Final = re.compile("\r\n|\r|\n")
_SIMPLE: Final = (
    *(ast.Compare, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.IfExp),
    *(ast.List, ast.Dict, ast.Subscript, ast.Slice, ast.comprehension),
    *(ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context),
)
_REFUSED: Final = (ast.MatMult, ast.BitAnd, ast.BitOr, ast.BitXor, ast.LShift, ast.RShift, ast.Invert)
_NOT_PYTHON: Final = {"&&": "and", "||": "or", "!": "not", "===": "==", "=>": ">=", "=<": "<="}
_NONE: Final = "This is no expression."
_UNCLOSED: Final = "A bracket is opened that is not closed."
_UNOPENED: Final = "A bracket is closed that was not opened."
_INSTEAD: Final[dict[type[ast.AST], tuple[str, str]]] = {
    ast.Lambda: ("Functions cannot be made here.", ""),
    ast.ListComp: ("A list cannot be made by `for` here.", "Write it within a function: all(x > 0 for x in value)."),
    ast.SetComp: ("A set cannot be made by `for` here.", "Write it within a function: all(x > 0 for x in value)."),
    ast.DictComp: ("A map cannot be made by `for` here.", "Write it within a function: all(x > 0 for x in value)."),
    ast.GeneratorExp: (
        "`for` stands only within a function of items.",
        "Write, for example, all(x > 0 for x in value).",
    ),
    ast.JoinedStr: ("Texts are not filled in here.", "Join them by `+`."),
    ast.NamedExpr: ("Nothing is assigned here.", "Write `==` to compare."),
    ast.Tuple: ("A list stands in brackets.", "Write [1, 2]."),
    ast.Set: ("A list stands in brackets.", "Write [1, 2]."),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Pattern:
    """A regular expression that stands literally in an expression, and where."""

    text: str
    line: int
    column: int


@dataclass(kw_only=True, slots=True)
class Parsed:
    """A checked tree, the names that it takes from outside, and its literal patterns."""

    body: ast.expr
    lines: tuple[str, ...]
    names: dict[str, ast.Name] = field(default_factory=dict)
    patterns: list[Pattern] = field(default_factory=list)

    def place(self, node: ast.AST) -> tuple[int, int]:
        """Return line and column (from 1) of a part, in characters of the text as it was written."""
        line = getattr(node, "lineno", 1)
        before = self.lines[line - 1].encode()[: getattr(node, "col_offset", 0)].decode(errors="ignore")
        return line, max(1, len(before) + (0 if line == 1 else 1))

    def error(self, node: ast.AST, message: str, hint: str = "") -> WrongExpressionError:
        """Return the error at a part."""
        line, column = self.place(node)
        return WrongExpressionError(message, line=line, column=column, hint=hint)


def parse(text: str, known: Collection[str] | None) -> Parsed:
    """Return the checked tree of a text; raise WrongExpressionError for all that is not on the white list.

    `known` are the names that may be used; None leaves that to the evaluation.
    """
    parsed = _read(text)
    _check_depth(parsed)
    for part in _parts(parsed.body):
        _check(parsed, part)
    for node in _targets(parsed.body):
        if node.id.startswith("__") or node.id in WORDS or node.id in FUNCTIONS or node.id in (known or ()):
            raise parsed.error(node, f"`{node.id}` means something else already.", "Take another name.")
    for name in _free(parsed.body, frozenset()):
        parsed.names.setdefault(name.id, name)
        if known is not None and name.id not in known:
            raise parsed.error(name, f"`{name.id}` is not known here.", nearest(name.id, sorted(known)))
    return parsed


def _read(text: str) -> Parsed:
    if len(text) > LONGEST:
        raise WrongExpressionError(f"An expression may have at most {LONGEST:,} characters.")
    if not text.strip():
        raise WrongExpressionError("An expression is missing.", hint="Write a condition: value > 0.")
    wrapped = f"({text}\n)"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(wrapped, mode="eval").body
    except SyntaxError as trouble:
        raise _syntax(trouble, text) from trouble
    except (ValueError, RecursionError, MemoryError) as trouble:
        raise WrongExpressionError("It cannot be read: it is nested too deeply, or holds a NUL.") from trouble
    parsed = Parsed(body=body, lines=tuple(_LINE_END.split(wrapped)))
    if (body.lineno, body.col_offset) == (1, 0):
        if instead := _INSTEAD.get(type(body)):
            raise parsed.error(body, *instead)
        line, column = _place_of(text, max(text.find(")"), 0))
        raise WrongExpressionError(_UNOPENED, line=line, column=column)
    return parsed


def _syntax(trouble: SyntaxError, text: str) -> WrongExpressionError:
    unquoted = _QUOTED.sub(lambda quoted: "_" * len(quoted[0]), text)
    for sign, word in _NOT_PYTHON.items():
        if sign in unquoted and f"{sign}=" not in unquoted:
            line, column = _place_of(text, unquoted.index(sign))
            return WrongExpressionError(_NONE, line=line, column=column, hint=f"Write `{word}` for `{sign}`.")
    if "unmatched ')'" in trouble.msg:
        line, column = _place_of(text, max(text.rfind(")"), 0))
        return WrongExpressionError(_UNOPENED, line=line, column=column)
    if "never closed" in trouble.msg and (opened := _opened(unquoted)) is not None:
        line, column = _place_of(text, opened)
        return WrongExpressionError(_UNCLOSED, line=line, column=column, hint="Close it where it ends.")
    lines = _LINE_END.split(text)
    line, column = trouble.lineno or 1, trouble.offset or 1
    if line > len(lines):  # the bracket that was put around it: something is missing at its end
        line, column = _place_of(text, len(text.rstrip()))
    elif line == 1:
        column -= 1
    hint = "Write `==` to compare." if "'=='" in trouble.msg or "cannot assign" in trouble.msg else ""
    return WrongExpressionError(_NONE, line=line, column=max(1, column), hint=hint)


def _opened(unquoted: str) -> int | None:
    """Return the index of the last bracket that is not closed."""
    left: list[int] = []
    for index, sign in enumerate(unquoted):
        if sign in "([{":
            left.append(index)
        elif sign in ")]}" and left:
            left.pop()
    return left[-1] if left else None


def _place_of(text: str, index: int) -> tuple[int, int]:
    *before, last = _LINE_END.split(text[:index])
    return len(before) + 1, len(last) + 1


def _check_depth(parsed: Parsed) -> None:
    level: list[ast.AST] = [parsed.body]
    for _ in range(DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    raise WrongExpressionError(f"It is nested more than {DEEPEST} levels deep.")


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """Yield every part in the order of the text, the generator expressions of functions without themselves."""
    yield node
    children = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        children.remove(node.func)
        if node.func.id in OF_ITEMS and len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp):
            children = list(ast.iter_child_nodes(node.args[0]))
    for child in children:
        yield from _parts(child)


def _targets(body: ast.AST) -> Iterator[ast.Name]:
    for node in ast.walk(body):
        if isinstance(node, ast.comprehension) and isinstance(node.target, ast.Name):
            yield node.target


def _free(node: ast.AST, bound: frozenset[str]) -> Iterator[ast.Name]:
    """Yield the names that are taken from outside, in the order of the text."""
    match node:
        case ast.Name(id=name):
            if name not in WORDS and name not in bound:
                yield node
        case ast.Call(args=args):
            for arg in args:
                yield from _free(arg, bound)
        case ast.GeneratorExp(elt=element, generators=generators):
            for one in generators:
                yield from _free(one.iter, bound)
                bound |= {one.target.id} if isinstance(one.target, ast.Name) else set()
                for condition in one.ifs:
                    yield from _free(condition, bound)
            yield from _free(element, bound)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _free(child, bound)


def _check(parsed: Parsed, node: ast.AST) -> None:
    match node:
        case ast.Constant(value=value):
            _check_constant(parsed, node, value)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            if name.startswith("__"):
                raise parsed.error(node, f"`{name}` is no name of this language.")
        case ast.Call():
            _check_call(parsed, node)
        case ast.Dict(keys=keys) if None in keys:
            raise parsed.error(node, "`**` is not part of this language.")
        case ast.comprehension(target=target) if not isinstance(target, ast.Name) or node.is_async:
            raise parsed.error(target, "`for` takes one name.", "Write, for example, all(x > 0 for x in value).")
        case ast.BinOp(op=op) | ast.UnaryOp(op=op) if isinstance(op, _REFUSED):
            raise parsed.error(node, "There are no operations on bits here.", "Write `and`, `or`, `not`.")
        case _ if not isinstance(node, _SIMPLE):
            message, hint = _INSTEAD.get(type(node), ("This is not part of the language of expressions.", ""))
            raise parsed.error(node, message, hint)


def _check_constant(parsed: Parsed, node: ast.Constant, value: Any) -> None:
    if value is None or isinstance(value, bool | int | float | str):
        if isinstance(value, float) and value in {float("inf"), float("-inf")}:
            raise parsed.error(node, "The number is too large.")
        return
    raise parsed.error(node, "This is no value of JSON.", "Texts stand in quotes, without a letter before them.")


def _check_call(parsed: Parsed, node: ast.Call) -> None:
    if not isinstance(node.func, ast.Name):
        attribute = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        hint = (
            f"Write {attribute}(…)." if attribute in FUNCTIONS else "Known functions: " + ", ".join(sorted(FUNCTIONS))
        )
        raise parsed.error(node, "Values have no methods here.", hint)
    name = node.func.id
    function = FUNCTIONS.get(name)
    if function is None:
        raise parsed.error(node.func, f"There is no function `{name}`.", nearest(name, sorted(FUNCTIONS)))
    if node.keywords or any(isinstance(arg, ast.Starred) for arg in node.args):
        raise parsed.error(node, f"`{name}` takes plain values only.", f"Write {function.form}.")
    if not function.fewest <= len(node.args) <= function.most:
        raise parsed.error(node, f"`{name}` does not take {len(node.args)} values.", f"Write {function.form}.")
    if name == "matches" and isinstance(node.args[1], ast.Constant) and isinstance(node.args[1].value, str):
        _note_pattern(parsed, node.args[1], node.args[1].value)


def _note_pattern(parsed: Parsed, node: ast.Constant, text: str) -> None:
    if any(ord(character) < 32 and character not in "\t\n" for character in text):
        raise parsed.error(
            node, r"An escape such as `\b` became a control character.", "Write r'…' with an r before it."
        )
    line, column = parsed.place(node)
    parsed.patterns.append(Pattern(text=text, line=line, column=column))
