"""The syntax tree of a template: its nodes in order, the names it gives values to, and what follows `tasks`."""

from collections.abc import Iterator, Sequence

from jinja2 import nodes

from taskspec.desired.references import MEMBERS, TASKS, WAY, alone
from taskspec.desired.scope import WrongTemplateError

Holders = tuple[nodes.Node, "Holders"] | None
"""A node that holds another, and what holds it."""


def walked(tree: nodes.Node) -> Iterator[tuple[nodes.Node, Holders]]:
    """Yield every node in the order of the text, with its chain of holders."""
    left: list[tuple[nodes.Node, Holders]] = [(tree, None)]
    while left:
        node, holders = left.pop()
        yield node, holders
        chain: Holders = (node, holders)
        left.extend((child, chain) for child in reversed(list(node.iter_child_nodes())))


def used(name: nodes.Name, holders: Holders) -> tuple[nodes.Expr, tuple[str | int, ...]]:
    """Return what stands for the address of a use of `tasks`, and the constant steps after it."""
    steps, is_called = _steps(name, holders)
    if not steps:
        raise alone(name.lineno)
    if is_called and len(steps) == 1:
        raise WrongTemplateError("`tasks` has nothing that can be called.", hint=WAY, line=name.lineno, name=TASKS)
    _check_subtraction(steps, holders)
    path: list[str | int] = []
    for step in steps[1 : len(steps) - 1 if is_called else None]:
        found = _constant(step)
        if found is None:
            break
        path.append(found)
    first = steps[0]
    key = nodes.Const(first.attr, lineno=name.lineno) if isinstance(first, nodes.Getattr) else first.arg
    return key, tuple(path)


def unseen(name: nodes.Name, holders: Holders) -> tuple[nodes.Expr, str] | None:
    """Return what names the tasks that a loop goes through, and a step from its name to what no task has."""
    steps, is_called = _steps(name, holders)
    step = _constant(steps[0]) if len(steps) > is_called else None
    while holders is not None and isinstance(step, str) and step not in MEMBERS:
        holder, holders = holders
        if isinstance(holder, nodes.For) and isinstance(holder.target, nodes.Name) and holder.target.name == name.name:
            match holder.iter:
                case nodes.Getitem(node=nodes.Name(name="tasks"), arg=key):
                    return key, step
            return None
    return None


def is_target(holders: Holders) -> bool:
    """Tell whether a name that gets a value gets it from a loop."""
    return holders is not None and isinstance(holders[0], nodes.For)


def is_printed(holders: Holders) -> bool:
    """Tell whether a use of `tasks` writes out a whole task, or all tasks of a pattern."""
    return holders is not None and holders[1] is not None and isinstance(holders[1][0], nodes.Output)


def _check_subtraction(steps: Sequence[nodes.Getattr | nodes.Getitem], holders: Holders) -> None:
    """Refuse `tasks.my-task.result`, which takes `task.result` from `tasks.my`."""
    after = holders[1] if holders and len(steps) == 1 else None
    if after and isinstance(after[0], nodes.Sub) and after[0].left is steps[0] and isinstance(steps[0], nodes.Getattr):
        raise WrongTemplateError(
            f"What stands behind `tasks.{steps[0].attr}` is subtracted from it.",
            hint=f"Write a name with `-` in brackets: `tasks['{steps[0].attr}-…']`.",
            line=steps[0].lineno,
            name=TASKS,
        )


def _steps(name: nodes.Name, holders: Holders) -> tuple[Sequence[nodes.Getattr | nodes.Getitem], bool]:
    steps: list[nodes.Getattr | nodes.Getitem] = []
    child: nodes.Node = name
    while holders is not None:
        holder, holders = holders
        if not isinstance(holder, nodes.Getattr | nodes.Getitem) or holder.node is not child:
            return steps, isinstance(holder, nodes.Call) and holder.node is child
        steps.append(holder)
        child = holder
    return steps, False


def _constant(step: nodes.Getattr | nodes.Getitem) -> str | int | None:
    if isinstance(step, nodes.Getattr):
        return step.attr
    found = step.arg.value if isinstance(step.arg, nodes.Const) else None
    return found if isinstance(found, str | int) and not isinstance(found, bool) else None


def given(node: nodes.Node) -> Iterator[str]:
    """Yield the names that a node gives a value to."""
    match node:
        case nodes.Name(ctx="store" | "param"):
            yield node.name
        case nodes.Macro():
            yield node.name
        case nodes.Import():
            yield node.target
        case nodes.FromImport():
            yield from (name if isinstance(name, str) else name[1] for name in node.names)
        case _:
            pass


def names_in(node: nodes.Node) -> Iterator[nodes.Name]:
    """Yield every name in an expression."""
    return (found for found, _ in walked(node) if isinstance(found, nodes.Name))
