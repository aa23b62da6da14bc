"""The policies of a project as they are written: those of an environment, and what is wrong with them. Asks none."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from taskspec.diagnostics import Diagnostic, path_text
from taskspec.documents.model import Document, PlanPolicy
from taskspec.documents.templates import Path, value_at

NAMES: Final = ("change", "plan", "project", "environment")
"""What a policy sees: one item of the plan, the plan in numbers, the project and the name of the environment."""


def policies_of(document: Document, environment: str) -> tuple[PlanPolicy, ...]:
    """Return the policies that hold in an environment: its own go over those of the project that have their names."""
    common = {policy.name: policy for policy in written_policies(document, ("spec", "policies"))}
    own = written_policies(document, ("spec", "environments", environment, "policies"))
    return tuple((common | {policy.name: policy for policy in own}).values())


def written_policies(document: Document, path: Path) -> Iterator[PlanPolicy]:
    """Yield the policies of one list."""
    for index, written in enumerate(value_at(document, path) or ()):
        yield PlanPolicy(
            name=written["name"], deny=written["deny"], message=written.get("message", ""), path=(*path, index)
        )


def policy_lists(document: Document) -> Iterator[Path]:
    """Yield the paths at which policies can stand: those of the project, and those of each environment."""
    yield ("spec", "policies")
    environments = value_at(document, ("spec", "environments"))
    for name in environments if isinstance(environments, Mapping) else ():
        yield ("spec", "environments", name, "policies")


def repeated_policies(document: Document) -> Iterator[Diagnostic]:
    """Find policies that stand in one list under one name."""
    for path in policy_lists(document):
        taken: dict[str, Path] = {}
        for policy in written_policies(document, path):
            place = (*policy.path, "name")
            if (first := taken.setdefault(policy.name, place)) != place:
                yield Diagnostic(
                    summary="Two policies of one name",
                    detail=f"The name `{policy.name}` is taken by the policy at {document.position(first)}.",
                    hint="Rename one of the two.",
                    position=document.position(place),
                )


def wrong_policies(document: Document) -> Iterator[Diagnostic]:
    """Find what is no condition among the policies; whether their fields are there is told elsewhere."""
    for path in policy_lists(document):
        listed = value_at(document, path)
        for index, written in enumerate(listed if isinstance(listed, list) else ()):
            text = written.get("deny") if isinstance(written, Mapping) else None
            if isinstance(text, str) and text:
                yield from _wrong_condition(document, (*path, index, "deny"), text)


def _wrong_condition(document: Document, path: Path, text: str) -> Iterator[Diagnostic]:
    from taskspec.documents.asserting import wrong_pattern
    from taskspec.expressions.evaluating import compile_expression
    from taskspec.expressions.model import WrongExpressionError

    try:
        expression = compile_expression(text, NAMES)
    except WrongExpressionError as trouble:
        yield wrong_expression(document, path, trouble)
        return
    for pattern in expression.patterns:
        if wrong := wrong_pattern(pattern.text):
            yield Diagnostic(
                summary="Wrong regular expression",
                detail=f"`{path_text(path)}`: {wrong[0]}",
                hint=wrong[1],
                position=document.text_position(path, pattern.line, pattern.column),
            )


def wrong_expression(document: Document, path: Path, trouble: Any) -> Diagnostic:
    """Return what a WrongExpressionError says of the text at a path."""
    return Diagnostic(
        summary="Wrong expression",
        detail=f"`{path_text(path)}`: {trouble.message}",
        hint=trouble.hint,
        position=document.text_position(path, trouble.line, trouble.column),
    )
