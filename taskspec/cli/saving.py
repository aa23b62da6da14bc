"""What `plan --out`, `show` and `apply FILE` share. Carries nothing out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from taskspec.cli import options
from taskspec.cli.blaming import blamed
from taskspec.cli.printing import note
from taskspec.errors import UsageError

if TYPE_CHECKING:
    from taskspec.plan.model import Plan
    from taskspec.runner.answering import Question
    from taskspec.runner.model import Invocation, Ports
    from taskspec.runner.preparing import Remark
    from taskspec.runner.saved import SavedPlan


def saved_plan(words: Sequence[str], exclude: Sequence[str], expected: str | None) -> "SavedPlan | None":
    """Return the saved plan that a command line names first; None where it names none."""
    from taskspec.runner.saved import is_saved_plan

    if not words or not is_saved_plan(words[0]):
        if expected is not None:
            raise UsageError("--expect-digest is about a saved plan.", hint="Name its file: `taskspec apply FILE`.")
        return None
    if len(words) > 1 or exclude:
        raise UsageError(
            "A saved plan is carried out as a whole.", hint="Select tasks when it is made: `taskspec plan --out`."
        )
    return loaded(Path(words[0]))


def loaded(path: Path) -> "SavedPlan":
    """Return the saved plan of a file; raise UsageError where the command line names another environment."""
    from taskspec.runner.saved import load

    saved = load(path)
    given = options.given_environment_name()
    if given is not None and given != saved.plan.environment:
        raise UsageError(f"The plan is for the environment {saved.plan.environment}, and --env names {given}.")
    return saved


def save(
    invocation: "Invocation", ports: "Ports", remark: "Remark", path: Path, lasts: float | None
) -> "tuple[Plan, str]":
    """Make a plan and write it to a file; return its digest too."""
    from taskspec.runner import planning, saved

    told: list[tuple[Plan, str]] = []

    def keep(question: "Question", plan: "Plan", state: str) -> None:
        shown = blamed(plan, invocation)
        expires = saved.EXPIRES if lasts is None else lasts
        told.append((shown, saved.save(question, shown, path, ports, state, expires)))

    planning.plan(invocation, ports, remark, keep=keep)
    return told[0]


def tell_saved(plan: "Plan", path: Path, digest: str) -> None:
    """Say where a plan was saved, and how to go on from there."""
    way = "It is refused, as the plan is." if plan.refusals else f"Carry it out with: taskspec apply {path}"
    note(f"Saved as {path} ({digest}). {way}")
