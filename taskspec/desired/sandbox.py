"""The sandbox that templates run in: names, filters, tests and methods by allow-list, all work metered.

The engine's own sandbox keeps a template from the inside of Python, but does not bound its work: operators, methods,
filters, loops, macros and all that is put into a text are sent through the meter (`metering` says what is bounded);
what a template includes or imports comes from `parts` alone; blocks and recursive loops are refused before anything
runs.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, Final, cast

from jinja2 import StrictUndefined, Template, Undefined, UndefinedError, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import TemplateModule
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from taskspec.desired.callables import BOUNDED, TAKEN, TESTS, Function, Method, certain, metered, method
from taskspec.desired.deriving import COMPUTED, COMPUTED_HINT, DERIVING, Secrets, SecretUseError, deriving
from taskspec.desired.later import Later, refuse_later
from taskspec.desired.metering import Meter
from taskspec.desired.scope import Names, WrongTemplateError, names_a_secret, unknown_member, unknown_name
from taskspec.diagnostics import nearest

VALUE: Final = "_taskspec_value"
"""The name under which a template that is one single expression leaves its value."""

_INSTEAD: Final = "Use `{% include … %}`, or a macro."
_REFUSED: Final = {
    nodes.Block: "block",
    nodes.Extends: "extends",
    nodes.ScopedEvalContextModifier: "autoescape",
}
_WHOLE: Final = frozenset({"count", "dictsort", "first", "items", "last", "length", "list", "map", "reverse"})
"""Filters that may be used on lists and maps that hold secrets."""
_OF_KIND: Final = frozenset({"defined", "mapping", "none", "undefined"})
"""Tests that tell nothing of a secret."""


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


class _Metered(CodeGenerator):
    """Sends all that is put into a text through the meter: nothing is computed before the template runs.

    But for the literal text of a manifest outside of macros and the like, whose length alone is counted.
    """

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: Any) -> str:
        if isinstance(node, nodes.TemplateData) and frame.buffer is None and self.name is None:
            return super()._output_child_to_const(node, frame, finalize)
        raise nodes.Impossible


class Sandbox(ImmutableSandboxedEnvironment):
    """The sandbox: names, filters, tests and methods by allow-list, all work metered."""

    code_generator_class = _Metered
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, meter: Meter, parts: Callable[[Any, bool], Template], functions: Mapping[str, Function]) -> None:
        super().__init__(
            undefined=_Unknown, autoescape=False, keep_trailing_newline=True, optimized=False, cache_size=0
        )
        self.meter = meter
        self.functions = dict(functions)
        self.secrets: Secrets | None = None
        """While a text is rendered masked: what stands behind the placeholders."""
        self.finalize = self.written
        self._parts = parts
        self.globals.clear()
        taken = {name: self.filters[name] for name in TAKEN} | dict(BOUNDED)
        taken |= {name: deriving(name, taken[name], lambda: self.secrets) for name in DERIVING}
        self.filters = {
            name: certain(f) if name in {"d", "default"} else metered(self._closed(name, f), meter)
            for name, f in taken.items()
        }
        tests = {name: cast("Callable[..., Any]", self.tests[name]) for name in TESTS}
        self.tests = {name: certain(f if name in _OF_KIND else self._closed("", f)) for name, f in tests.items()}
        self.binop_table.update({"+": meter.add, "*": meter.multiply, "**": meter.power, "%": meter.modulo})

    def _closed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a filter or a test that takes no secret, or none but within lists and maps that it leaves whole."""
        if name in DERIVING or name in {"join", "string"}:
            return function
        gate = self.opened_text if name in _WHOLE else self.opened

        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            if self.secrets is not None:
                for value in (*args, *kwargs.values()):
                    if not isinstance(value, Sandbox | Context):
                        gate(value)
            return function(*args, **kwargs)

        return run

    def written(self, value: Any) -> Any:
        """Charge a value that is put into a text; an `if` without `else` gives nothing."""
        if isinstance(value, Later):
            return str(value)
        if isinstance(value, Macro):
            raise WrongTemplateError(
                f"`{value.name}` is a macro.", hint=f"Call it: `{value.name}(…)`.", name=value.name
            )
        if isinstance(value, TemplateModule):
            raise WrongTemplateError(f"`{value.__name__}` stands for its macros.", hint="Call one of them.")
        return "" if type(value) is Undefined else self.meter.weighed(value)

    def counted(self, items: Any) -> Any:
        """Return the items of a loop, each charged; the characters of a secret are none."""
        return self.meter.counted(self.opened_text(items))

    def opened(self, value: Any) -> Any:
        """Return a value on which something depends; raises SecretUseError for one that holds a secret.

        That it does so whatever the secret is matters: else its refusal would tell what the secret is not.
        """
        if self.secrets is not None and names_a_secret(value):
            raise SecretUseError(COMPUTED, hint=COMPUTED_HINT)
        return value

    def opened_text(self, value: Any) -> Any:
        """Return a value that is looked into, as `opened` does; a list and a map may hold secrets."""
        return self.opened(value) if isinstance(value, str) else value

    def included(self, name: Any) -> Template:
        """Return the file that a template includes."""
        self.opened(name)
        return self._parts(name, False)

    def imported(self, name: Any) -> Template:
        """Return the file that a template imports macros from."""
        self.opened(name)
        return self._parts(name, True)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, LoopContext):
            return super().getattr(obj, attribute)
        if isinstance(obj, Later):
            return obj
        if isinstance(obj, TemplateModule):
            found = None if attribute.startswith("_") else vars(obj).get(attribute)
            return self._missing(obj, attribute) if found is None else found
        if isinstance(obj, tuple) and attribute in getattr(obj, "_fields", ()):
            return getattr(obj, attribute)
        found = method(obj, attribute, self.meter)
        return self._missing(obj, attribute) if found is None else found

    def getitem(self, obj: Any, argument: Any) -> Any:
        refuse_later(argument)
        self.opened(argument)
        self.opened_text(obj)
        try:
            return obj[argument]
        except (TypeError, LookupError, AttributeError):
            return self._missing(obj, argument)

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        refuse_later(obj)
        if isinstance(obj, Function) or (isinstance(obj, Method) and obj.looks_inside):
            self.opened([obj, args, kwargs] if isinstance(obj, Function) else [obj.owner, args, kwargs])
        if isinstance(obj, Macro):
            with self.meter.deeper(len(args) + len(kwargs)):
                return context.call(obj, *args, **kwargs)
        return super().call(context, obj, *args, **kwargs)

    def _missing(self, obj: Any, name: Any) -> Any:
        if isinstance(obj, Undefined):
            str(obj)
        if isinstance(obj, Names) and name not in obj.unset and name not in obj.absent:
            raise UnknownNameError(name, obj)
        if isinstance(obj, TemplateModule):
            known = nearest(str(name), [one for one in vars(obj) if not one.startswith("_")])
            raise WrongTemplateError(f"`{obj.__name__}` has no macro `{name}`.", hint=known, name=str(name))
        return self.undefined(obj=obj, name=name)

    def is_safe_callable(self, obj: Any) -> bool:
        return (
            isinstance(obj, Method | Function)
            or obj in (self.written, self.counted, self.included, self.imported, self.opened, self.opened_text)
            or isinstance(getattr(obj, "__self__", None), LoopContext)
        )


def bounded(tree: nodes.Template, *, is_part: bool = False) -> nodes.Template:
    """Refuse what cannot be bounded, and send loops, `~`, includes and imports through the sandbox.

    What is no part of another template, and a single expression, leaves its value.
    """
    for refused in tree.find_all(tuple(_REFUSED)):
        word = _REFUSED[type(refused)]
        raise WrongTemplateError(f"`{{% {word} %}}` is not supported in manifests.", hint=_INSTEAD, line=refused.lineno)
    for loop in tree.find_all(nodes.For):
        if loop.recursive:
            raise WrongTemplateError(
                "A recursive loop is not supported in manifests.",
                hint="Use a macro that calls itself.",
                line=loop.lineno,
            )
        loop.iter = _through("counted", loop.iter)
        if next(loop.find_all(nodes.Include), None):
            loop.body.append(nodes.ExprStmt(nodes.Name("loop", "load"), lineno=loop.lineno))  # which else is not made
    _close_secrets(tree)
    for concat in tree.find_all(nodes.Concat):
        concat.nodes = [_through("written", node) for node in concat.nodes]
    for include in tree.find_all(nodes.Include):
        _check_include(include)
        include.template = _through("included", include.template)
    imports: Iterator[nodes.Import | nodes.FromImport] = tree.find_all((nodes.Import, nodes.FromImport))
    for taken in imports:
        taken.template = _through("imported", taken.template)
    match tree.body:
        case [nodes.Output(nodes=[expression])] if not is_part and not isinstance(expression, nodes.TemplateData):
            tree.body = [nodes.Assign(nodes.Name(VALUE, "store"), expression, lineno=expression.lineno)]
    return tree


def _close_secrets(tree: nodes.Template) -> None:
    """Send what decides anything through `opened`: what is compared, looked up, sliced, tested."""
    for comparison in tree.find_all(nodes.Compare):
        comparison.expr = _through("opened", comparison.expr)
        for operand in comparison.ops:
            operand.expr = _through("opened", operand.expr)
    for item in tree.find_all(nodes.Getitem):
        if isinstance(item.arg, nodes.Slice):
            item.node = _through("opened_text", item.node)
    for pair in tree.find_all(nodes.Pair):
        pair.key = _through("opened", pair.key)


def _check_include(include: nodes.Include) -> None:
    if include.ignore_missing:
        word, way = "ignore missing", "Include only what is there."
    elif not include.with_context:
        word, way = "without context", "Leave it out, or make a macro of the file and import that."
    elif isinstance(include.template, nodes.List | nodes.Tuple):
        word, way = "with a list", "Name one file."
    else:
        return
    raise WrongTemplateError(
        f"`{{% include … %}}` {word} is not supported in manifests.", hint=way, line=include.lineno
    )


def _through(gate: str, expression: nodes.Node) -> nodes.Expr:
    return nodes.Call(nodes.EnvironmentAttribute(gate), [expression], [], None, None, lineno=expression.lineno)
