"""A checked expression and the names that it sees → its value, metered. Calls no method of a value."""

import ast
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from taskspec.expressions.asking import Asked, asked, conditions
from taskspec.expressions.functions import FUNCTIONS, OF_ITEMS
from taskspec.expressions.kinds import items, kind, number, said, truth
from taskspec.expressions.model import Fault, Matcher, Meter, Tools, nearest
from taskspec.expressions.operating import combined, compared
from taskspec.expressions.parsing import WORDS, Parsed, Pattern, parse


class Expression:
    """An expression that was read and checked."""

    __slots__ = ("_parsed", "text")

    def __init__(self, text: str, parsed: Parsed) -> None:
        self.text = text
        self._parsed = parsed

    @property
    def names(self) -> Collection[str]:
        """Return the names that it takes from outside."""
        return self._parsed.names.keys()

    @property
    def patterns(self) -> tuple[Pattern, ...]:
        """Return the regular expressions that stand literally in it."""
        return tuple(self._parsed.patterns)

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Return the fields of names from outside that stand literally in it."""
        return tuple(asked(self._parsed))

    @property
    def conditions(self) -> tuple["Expression", ...]:
        """Return the parts that `and`, `or`, `not` and `if` join, each as an expression whose places are those here."""
        return tuple(Expression(self.text, replace(self._parsed, body=part)) for part in conditions(self._parsed.body))

    def evaluate(self, names: Mapping[str, Any], matches: Matcher, meter: Meter | None = None) -> Any:
        """Return its value; raise WrongExpressionError where it has none, or where it takes too much work.

        Names hold JSON values. Several evaluations may share a meter.
        """
        return _Evaluation(self._parsed, Tools(meter=meter or Meter(), matches=matches)).value(
            self._parsed.body, {**names, **WORDS}
        )

    def holds(self, names: Mapping[str, Any], matches: Matcher, meter: Meter | None = None) -> bool:
        """Return its truth; a value that is neither true nor false is an error."""
        value = self.evaluate(names, matches, meter)
        if not isinstance(value, bool):
            message = f"It must give true or false, and gives {said(value)}."
            raise self._parsed.error(self._parsed.body, message, "Compare it with something: … > 0.")
        return value


def compile_expression(text: str, known: Collection[str] | None = None) -> Expression:
    """Read and check an expression; raise WrongExpressionError where it is none, or uses a name that is not `known`."""
    return Expression(text, parse(text, known))


class _Evaluation:
    """One evaluation. Every part that is evaluated is paid for; so no expression can hang."""

    def __init__(self, parsed: Parsed, tools: Tools) -> None:
        self._parsed = parsed
        self._tools = tools
        self._doing: dict[type[ast.AST], Callable[[Any, dict[str, Any]], Any]] = {
            ast.Constant: lambda node, _: node.value,
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.Subscript: self._subscript,
            ast.Compare: self._compare,
            ast.BoolOp: self._bool_op,
            ast.UnaryOp: self._unary_op,
            ast.BinOp: self._bin_op,
            ast.IfExp: self._if_exp,
            ast.List: self._list,
            ast.Dict: self._dict,
            ast.Call: self._call,
        }

    def value(self, node: ast.expr, names: dict[str, Any]) -> Any:
        """Return the value of a part."""
        try:
            self._tools.meter.spend()
            return self._doing[type(node)](node, names)
        except Fault as fault:
            sentence = fault.message[:1].upper() + fault.message[1:]
            raise self._parsed.error(node, f"{sentence}.", fault.hint) from None
        except OverflowError:
            raise self._parsed.error(node, "The number is too large.") from None

    def _name(self, node: ast.Name, names: dict[str, Any]) -> Any:
        if node.id not in names:
            raise Fault(f"`{node.id}` is not known here", nearest(node.id, sorted(names.keys() - WORDS.keys())))
        return names[node.id]

    def _attribute(self, node: ast.Attribute, names: dict[str, Any]) -> Any:
        return self._field(self.value(node.value, names), node.attr)

    def _field(self, whole: Any, key: str) -> Any:
        if kind(whole) != "map":
            raise Fault(f"`{key}` is asked of {said(whole)}, and only a map has fields")
        if key not in whole:
            raise Fault(f"there is no field `{key[:60]}`", nearest(key, [str(one)[:60] for one in list(whole)[:1_000]]))
        return whole[key]

    def _subscript(self, node: ast.Subscript, names: dict[str, Any]) -> Any:
        whole = self.value(node.value, names)
        if isinstance(node.slice, ast.Slice):
            return self._slice(whole, node.slice, names)
        index = self.value(node.slice, names)
        if kind(whole) == "map":
            if not isinstance(index, str):
                raise Fault(f"a field of a map is named by a string, found {said(index)}")
            return self._field(whole, index)
        if kind(whole) not in {"list", "string"}:
            raise Fault(f"[…] is asked of {said(whole)}, which is no list, map or string")
        if isinstance(index, bool) or not isinstance(index, int):
            raise Fault(f"an item is named by its whole number, found {said(index)}")
        if not -len(whole) <= index < len(whole):
            raise Fault(f"there is no item {said(index)} in a {kind(whole)} of {len(whole)}")
        return whole[index]

    def _slice(self, whole: Any, node: ast.Slice, names: dict[str, Any]) -> Any:
        if kind(whole) not in {"list", "string"}:
            raise Fault(f"[…:…] is asked of {said(whole)}, which is no list or string")
        ends = [None if end is None else self.value(end, names) for end in (node.lower, node.upper, node.step)]
        if any(end is not None and (isinstance(end, bool) or not isinstance(end, int)) for end in ends):
            raise Fault("the ends of […:…] are whole numbers")
        if ends[2] == 0:
            raise Fault("the step of […:…] cannot be 0")
        found = whole[slice(*ends)]
        self._tools.meter.spend(len(found) // (100 if isinstance(found, str) else 1))
        return found

    def _compare(self, node: ast.Compare, names: dict[str, Any]) -> bool:
        left = self.value(node.left, names)
        for op, part in zip(node.ops, node.comparators, strict=True):
            right = self.value(part, names)
            if not compared(self._tools, op, left, right):
                return False
            left = right
        return True

    def _bool_op(self, node: ast.BoolOp, names: dict[str, Any]) -> bool:
        decisive = isinstance(node.op, ast.Or)
        word = "`or`" if decisive else "`and`"
        return any(truth(self.value(part, names), word) is decisive for part in node.values) is decisive

    def _unary_op(self, node: ast.UnaryOp, names: dict[str, Any]) -> Any:
        value = self.value(node.operand, names)
        if isinstance(node.op, ast.Not):
            return not truth(value, "`not`")
        found = number(value, "a sign")
        return -found if isinstance(node.op, ast.USub) else found

    def _bin_op(self, node: ast.BinOp, names: dict[str, Any]) -> Any:
        return combined(self._tools, node.op, self.value(node.left, names), self.value(node.right, names))

    def _if_exp(self, node: ast.IfExp, names: dict[str, Any]) -> Any:
        return self.value(node.body if truth(self.value(node.test, names), "`if`") else node.orelse, names)

    def _list(self, node: ast.List, names: dict[str, Any]) -> list[Any]:
        return [self.value(item, names) for item in node.elts]

    def _dict(self, node: ast.Dict, names: dict[str, Any]) -> dict[str, Any]:
        found = {}
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            key = None if key_node is None else self.value(key_node, names)
            if not isinstance(key, str):
                raise Fault(f"a field of a map is named by a string, found {said(key)}")
            found[key] = self.value(value_node, names)
        return found

    def _call(self, node: ast.Call, names: dict[str, Any]) -> Any:
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        first = node.args[0]
        if name in OF_ITEMS and isinstance(first, ast.GeneratorExp):
            return self._of_items(name, first, names)
        return FUNCTIONS[name].run(self._tools, *[self.value(arg, names) for arg in node.args])

    def _of_items(self, name: str, node: ast.GeneratorExp, names: dict[str, Any]) -> Any:
        """Return a function of `… for x in …`; `all` and `any` look no further than they must."""
        found = self._generated(node, node.generators, names)
        if name in {"all", "any"}:
            decisive = name == "any"
            return any(truth(value, f"{name}()") is decisive for value in found) is decisive
        return FUNCTIONS[name].run(self._tools, list(found))

    def _generated(self, node: ast.GeneratorExp, left: list[ast.comprehension], names: dict[str, Any]) -> Iterator[Any]:
        if not left:
            yield self.value(node.elt, names)
            return
        first, *others = left
        assert isinstance(first.target, ast.Name)
        for item in items(self.value(first.iter, names), "`for`"):
            self._tools.meter.spend()
            inner = {**names, first.target.id: item}
            if all(truth(self.value(condition, inner), "`if`") for condition in first.ifs):
                yield from self._generated(node, others, inner)
