"""The sandbox that templates run in: names, filters, tests and methods by allow-list, all work metered.

Together with `rendering` the only place that knows jinja2. The engine's own sandbox keeps a template from the inside
of Python, but does not bound its work: operators, methods, filters and loops are sent through the meter (`metering`
says what is bounded), and macros, blocks, imports and recursion are refused before anything runs.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from jinja2 import StrictUndefined, Undefined, UndefinedError, nodes
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from taskspec.desired.callables import BOUNDED, TAKEN, TESTS, Method, metered, method
from taskspec.desired.metering import Meter
from taskspec.desired.scope import Names, WrongTemplateError, unknown_member, unknown_name

VALUE: Final = "_taskspec_value"
"""The name under which a template that is one single expression leaves its value."""

_REFUSED: Final = {
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.FilterBlock: "filter",
    nodes.AssignBlock: "set … endset",
    nodes.Block: "block",
    nodes.Extends: "extends",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from … import",
}


class UnknownNameError(UndefinedError):
    """A name that is not there was used."""

    def __init__(self, name: Any, holder: Any) -> None:
        super().__init__(f"{name} is unknown")
        self.name = name
        self.holder = holder

    def fault(self, names: Mapping[str, Any]) -> WrongTemplateError:
        """Return what is to be said to the author."""
        if self.holder is missing:
            return unknown_name(self.name, names)
        return unknown_member(self.name, self.holder)


class _Unknown(StrictUndefined):
    """A name that is not there: it may be tested for, and nothing else."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: Callable[[str], Exception] = UndefinedError,
    ) -> None:
        explained = exc if hint else lambda _: UnknownNameError(name, obj)
        super().__init__(hint or "unknown", obj, name, cast("type[UndefinedError]", explained))


class Sandbox(ImmutableSandboxedEnvironment):
    """The sandbox: names, filters, tests and methods by allow-list, all work metered."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, meter: Meter) -> None:
        super().__init__(
            undefined=_Unknown, autoescape=False, keep_trailing_newline=True, optimized=False, cache_size=0
        )
        self.meter = meter
        self.finalize = self.weighed
        self.counted = meter.counted
        self.globals.clear()
        taken = {name: self.filters[name] for name in TAKEN | BOUNDED.keys()} | dict(BOUNDED)
        self.filters = {name: f if name in {"d", "default"} else metered(f, meter) for name, f in taken.items()}
        self.tests = {name: self.tests[name] for name in TESTS}
        self.binop_table.update({"+": meter.add, "*": meter.multiply, "**": meter.power, "%": meter.modulo})

    def weighed(self, value: Any) -> Any:
        """Charge a value that is put into a text; an `if` without `else` gives nothing."""
        return "" if type(value) is Undefined else self.meter.weighed(value)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, LoopContext):
            return super().getattr(obj, attribute)
        if isinstance(obj, tuple) and attribute in getattr(obj, "_fields", ()):
            return getattr(obj, attribute)
        found = method(obj, attribute, self.meter)
        return self._missing(obj, attribute) if found is None else found

    def getitem(self, obj: Any, argument: Any) -> Any:
        try:
            return obj[argument]
        except (TypeError, LookupError, AttributeError):
            return self._missing(obj, argument)

    def _missing(self, obj: Any, name: Any) -> Any:
        if isinstance(obj, Undefined):
            str(obj)
        if isinstance(obj, Names) and name not in obj.unset and name not in obj.absent:
            raise UnknownNameError(name, obj)
        return self.undefined(obj=obj, name=name)

    def is_safe_callable(self, obj: Any) -> bool:
        return (
            isinstance(obj, Method)
            or obj in (self.weighed, self.counted)
            or isinstance(getattr(obj, "__self__", None), LoopContext)
        )


def bounded(tree: nodes.Template) -> nodes.Template:
    """Refuse what cannot be bounded, and send loops and `~` through the meter."""
    for refused in tree.find_all(tuple(_REFUSED)):
        word = _REFUSED[type(refused)]
        raise WrongTemplateError(f"`{{% {word} %}}` is not supported in manifests.", line=refused.lineno)
    for loop in tree.find_all(nodes.For):
        if loop.recursive:
            raise WrongTemplateError("A recursive loop is not supported in manifests.", line=loop.lineno)
        loop.iter = _through("counted", loop.iter)
    for concat in tree.find_all(nodes.Concat):
        concat.nodes = [_through("weighed", node) for node in concat.nodes]
    match tree.body:
        case [nodes.Output(nodes=[expression])] if not isinstance(expression, nodes.TemplateData):
            tree.body = [nodes.Assign(nodes.Name(VALUE, "store"), expression, lineno=expression.lineno)]
    return tree


def _through(gate: str, expression: nodes.Node) -> nodes.Expr:
    return nodes.Call(nodes.EnvironmentAttribute(gate), [expression], [], None, None, lineno=expression.lineno)
