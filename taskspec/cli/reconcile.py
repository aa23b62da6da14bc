"""`taskspec reconcile`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taskspec.cli import executing, options, reporting
from taskspec.cli.plan import make_plan, show_plan
from taskspec.cli.printing import note
from taskspec.cli.showing import Showing
from taskspec.cli.wiring import Wiring
from taskspec.errors import TaskspecError, UsageError
from taskspec.runner.model import Invocation

if TYPE_CHECKING:
    from taskspec.apply.model import Options
    from taskspec.cli.reporting import Reporter
    from taskspec.documents.model import Project
    from taskspec.runner.reviewing import Review
    from taskspec.runner.saved import SavedPlan


@click.command()
@options.targets
@options.targeting
@options.variables
@options.refreshing
@options.rerunning
@options.since
@executing.unattended
@options.risking
@click.option("--plan-only", is_flag=True, help="Plan, and carry nothing out. Always so in a job of a pull request.")
@click.option(
    "--base",
    metavar="REV",
    help="The git revision whose trust settings hold (default: what a pull request is to be merged into).",
)
@click.option(
    "--offline", is_flag=True, help="Know of the manifests alone: no key, no state, no remote. Always so for a fork."
)
@click.option("--detailed-exitcode", is_flag=True, help="With a plan: exit with 2 where there is something to do.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="With a plan: save it.")
@click.option(
    "--expires",
    type=options.Duration(),
    metavar="DURATION",
    help="With --out: for how long it may be applied (default: 7d).",
)
@click.option(
    "--plan", "saved", type=click.Path(path_type=Path), metavar="FILE", help="Carry out exactly this saved plan."
)
@click.option("--expect-digest", metavar="DIGEST", help="With --plan: only if it has this digest.")
@reporting.reports
@click.option(
    "--comment/--no-comment",
    default=None,
    help="Write the sticky comment of the pull request (default: where a token is there).",
)
@options.as_json
def reconcile(
    words: Sequence[str],
    project: Path | None,
    exclude: Sequence[str],
    given: Sequence[str],
    refresh: str,
    plan_only: bool,
    base: str | None,
    offline: bool,
    detailed_exitcode: bool,
    out: Path | None,
    expires: float | None,
    saved: Path | None,
    expect_digest: str | None,
    comment: bool | None,
    as_json: bool,
    **execution: object,
) -> int:
    """Do in a CI job what is right there: plan a pull request, apply what was merged.

    Never asks. In a job of a pull request it only plans, with the trust settings of what that is to be merged into;
    one from a fork is compared with that, and nothing else is looked at. Elsewhere it plans, applies, waits, judges and
    reports, or carries out just the plan that --plan names. Only what is accepted in full ends with 0.
    """
    invocation = options.invocation(words, project, given, refresh, exclude)
    told = executing.execution_of(execution)
    wanted = Wanted(
        base=base,
        plan_only=plan_only,
        detailed=detailed_exitcode,
        out=out,
        expires=expires,
        saved=saved,
        expect_digest=expect_digest,
        options=told.options,
        comment=comment,
        showing=Showing(as_json=as_json, quiet=told.quiet),
    )
    return Reconciliation(replace(invocation, offline=offline), wanted).run()


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a command line asks for."""

    base: str | None
    plan_only: bool
    detailed: bool
    out: Path | None
    expires: float | None
    saved: Path | None
    expect_digest: str | None
    options: "Options"
    comment: bool | None
    showing: Showing


class Reconciliation:
    """One run of the command: who is to hear of it is told in one place, whatever is done."""

    def __init__(self, invocation: Invocation, wanted: Wanted) -> None:
        from taskspec.runner.reviewing import is_request

        self._invocation = invocation
        self._wanted = wanted
        self._plans = wanted.plan_only or is_request(invocation.settings.ci) or invocation.offline
        self._review: Review | None = None
        self._plan: SavedPlan | None = None
        self._wiring = Wiring(invocation.settings, parallelism=max(wanted.options.parallelism, 1))

    def run(self) -> int:
        """Do it, make the reports, and return the exit code."""
        from taskspec.cli.telling_ci import ci_outlets
        from taskspec.report.account import Kind

        kind = Kind.PLAN if self._plans else Kind.APPLY
        outlets = ci_outlets(self._invocation.settings, comment=self._wanted.comment)
        reporter = reporting.Reporter(kind, self._invocation, self._wiring, outlets, project=self._project)
        return reporter.run(lambda: self._work(reporter), as_json=self._wanted.showing.as_json)

    def _project(self) -> "Project":
        """Return the project that the account is about; raise TaskspecError before it is known what is trusted."""
        from taskspec.runner.locating import project_of
        from taskspec.runner.saved import project_in

        if self._plan is not None:
            return project_in(self._plan, self._invocation)
        if self._review is None:
            raise TaskspecError("It is not known what is trusted.")
        return project_of(self._review.invocation)

    def _work(self, reporter: "Reporter") -> int:
        from taskspec.runner.reviewing import reviewed

        wanted = self._wanted
        _require_sense(wanted, self._invocation, plans=self._plans)
        review = reviewed(self._invocation, wanted.base, plans_only=wanted.plan_only)
        self._review = review
        if review.invocation.base is not None and review.invocation.base.project is not None:
            reporter.name = review.invocation.base.project.name
        reporter.notes.extend(review.notes)
        for text in review.notes:
            note(text)
        if not review.plans_only:
            return self._apply(review, reporter)
        if wanted.saved is not None:
            _also(reporter, "In a job of a pull request nothing is applied, so --plan is left aside.")
        if review.revision is not None:
            return self._sketch(review, review.revision, reporter)
        code = make_plan(
            review.invocation,
            self._wiring,
            reporter,
            wanted.out,
            wanted.expires,
            wanted.showing,
            detailed=wanted.detailed,
        )
        self._aside(review.invocation, reporter)
        return code

    def _aside(self, invocation: Invocation, reporter: "Reporter") -> None:
        """Say which tasks are not well and were not selected: the exit code is not about them."""
        from taskspec.runner.reviewing import left_aside

        for text in left_aside(reporter.plan, invocation, self._wiring):
            _also(reporter, text)

    def _sketch(self, review: "Review", revision: str, reporter: "Reporter") -> int:
        from taskspec.cli.remarking import remark_for
        from taskspec.report.exiting import of_plan
        from taskspec.runner.sketching import Disconnected, sketch

        wanted = self._wanted
        reporter.ports = Disconnected(self._wiring)
        if wanted.out is not None:
            _also(reporter, "An offline plan cannot be applied, so it is not saved.")
        remark = remark_for(as_json=wanted.showing.as_json, quiet=wanted.showing.quiet)
        made = sketch(review.invocation, self._wiring, revision, review.name, remark)
        reporter.plan = made
        show_plan(made, review.invocation, wanted.showing)
        return of_plan(made, detailed=wanted.detailed)

    def _apply(self, review: "Review", reporter: "Reporter") -> int:
        from taskspec.cli.applying import Manner, carry
        from taskspec.cli.failing import tell
        from taskspec.cli.saving import loaded
        from taskspec.report.exiting import ExitCode
        from taskspec.runner.locating import project_of
        from taskspec.runner.reviewing import merged_guards, require_done, require_kept

        wanted, invocation = self._wanted, review.invocation
        saved = loaded(wanted.saved) if wanted.saved is not None else None
        self._plan, guards = saved, None
        if saved is not None:
            invocation = replace(invocation, environment=saved.plan.environment)
            guards = merged_guards(saved, invocation)
        require_kept(project_of(invocation), invocation.settings, self._wiring)
        manner = Manner(
            yes=True,
            as_json=wanted.showing.as_json,
            quiet=wanted.showing.quiet,
            saved=saved,
            expect_digest=wanted.expect_digest,
            guards=guards,
        )
        code = carry(invocation, wanted.options, self._wiring, reporter, manner)
        if saved is None or code != ExitCode.OK:
            self._aside(invocation, reporter)
            return code
        try:
            require_done(invocation, self._wiring, waits=wanted.options.wait)
        except TaskspecError as error:
            reporter.learn(error)
            return tell(error, as_json=wanted.showing.as_json)
        return code


def _also(reporter: "Reporter", text: str) -> None:
    reporter.notes.append(text)
    note(text)


def _require_sense(wanted: Wanted, invocation: Invocation, *, plans: bool) -> None:
    """Raise UsageError for options that make no sense together, whatever the job is of."""
    from taskspec.runner.reviewing import is_request

    in_request = is_request(invocation.settings.ci)
    if wanted.expires is not None and wanted.out is None:
        raise UsageError("--expires is about a plan that is saved.", hint="Add --out FILE.")
    if wanted.expect_digest is not None and wanted.saved is None:
        raise UsageError("--expect-digest is about a saved plan.", hint="Name its file: --plan FILE.")
    if wanted.out is not None and not plans:
        raise UsageError("--out saves a plan, and this applies one.", hint="Add --plan-only, or leave --out out.")
    if wanted.saved is not None and plans and not in_request:
        raise UsageError("--plan is carried out, and this only plans.", hint="Leave one of the two out.")
    is_chosen = not invocation.selection.everything or invocation.rerun is not None or invocation.since is not None
    if wanted.saved is not None and is_chosen and not in_request:
        raise UsageError("A saved plan is carried out as a whole.", hint="Select tasks when it is made.")
