"""The syntax tree of a template that is wrong → every name, filter and test in it that is not known. Renders nothing.

The engine stops at the first mistake; the author wants to know of all.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from jinja2 import nodes

from taskspec.desired.callables import BOUNDED, TAKEN, TESTS
from taskspec.desired.faults import no_callable
from taskspec.desired.references import TASKS
from taskspec.desired.scope import Names, WrongTemplateError, unknown_member, unknown_name
from taskspec.desired.syntax import Holders, given, walked

_OF_THE_ENGINE: Final = frozenset({"loop", "caller", "varargs", "kwargs", "self", TASKS, "file"})


def survey(tree: nodes.Template, names: Mapping[str, Any]) -> Iterator[WrongTemplateError]:
    """Yield a fault for each thing that is not known, in order; what is rightly tested for is left out."""
    all_nodes = list(walked(tree))
    own = _OF_THE_ENGINE | {name for node, _ in all_nodes for name in given(node)}
    tested = {_dotted(node.node) for node, _ in all_nodes if isinstance(node, nodes.Test) and "defined" in node.name}
    for node, holders in all_nodes:
        fault = _fault(node, names, own)
        if fault is not None and (fault.is_certain or not (_dotted(node) in tested or _has_default(holders))):
            fault.line = fault.entry_line = node.lineno
            yield fault


def _fault(node: nodes.Node, names: Mapping[str, Any], own: frozenset[str]) -> WrongTemplateError | None:
    match node:
        case nodes.Filter() if node.name not in TAKEN and node.name not in BOUNDED:
            return no_callable("filter", node.name)
        case nodes.Test() if node.name not in TESTS:
            return no_callable("test", node.name)
        case nodes.Name(ctx="load") if node.name not in names and node.name not in own:
            return unknown_name(node.name, {**dict.fromkeys(own - _OF_THE_ENGINE), **names})
        case nodes.Getattr(node=nodes.Name(name=holder)) if holder not in own:
            found = names.get(holder)
            if isinstance(found, Names) and node.attr not in found:
                fault = unknown_member(node.attr, found)
                fault.is_certain = node.attr not in found.unset and node.attr not in found.absent
                return fault
    return None


def _dotted(node: nodes.Node | None) -> str:
    match node:
        case nodes.Name():
            return node.name
        case nodes.Getattr():
            return f"{_dotted(node.node)}.{node.attr}"
    return ""


def _has_default(holders: Holders) -> bool:
    """Tell whether a node is what a `default` filter is asked for; it may be within parentheses and further steps."""
    while holders is not None:
        holder, holders = holders
        if isinstance(holder, nodes.Filter):
            return holder.name in {"d", "default"}
        if not isinstance(holder, nodes.Getattr | nodes.Getitem):
            return False
    return False
