"""What an apply has cost, in every report: what the runs tell, of how many that is, and never a 0 that nobody told."""

import pytest
from sample_accounts import applied, change, finished, told
from told_pages import Read

from taskspec.events import ApplyFinished, RunCreated, RunEnded
from taskspec.report.account import Heard
from taskspec.report.counting import counted
from taskspec.report.html import page as html
from taskspec.report.markdown import page as markdown
from taskspec.report.narrating import Narrator
from taskspec.report.text import Paint

COSTS = {
    "all": ((1200, 34), "1,234", ""),
    "some": ((1200, None, 34), "1,234", " by 2 of 3 runs, 1 unknown"),
    "none": ((None, None), None, ""),
}


def account(counts):
    made = change("a")
    heard = []
    for number, tokens in enumerate(counts):
        run = f"r{number}"
        heard.append(RunCreated(address="a", agent="writer", generation=1, attempt=number, run=run))
        heard.append(RunEnded(address="a", run=run, status="completed", verdict="accepted", tokens=tokens))
    return applied(told(made, finished(made)), heard=tuple(Heard(at=1.0, event=event) for event in heard))


@pytest.mark.parametrize(("counts", "sum_", "of"), COSTS.values(), ids=COSTS)
def test_tokens_are_told_of_the_runs_that_tell_them(counts, sum_, of):
    given = account(counts)
    said, heard = [], [one.event for one in given.heard]
    Narrator(said.append, Paint(color=False), counted(heard)).on(ApplyFinished(seconds=1.0))
    (line,) = [line for line in said if line.startswith("Apply finished")]
    assert line.endswith(f", {sum_} tokens{of}." if sum_ else "accepted.")
    assert f"| Tokens | {sum_ or 'unknown'}{of} |" in markdown(given)
    assert "no earlier run" not in markdown(given)
    assert (f"{sum_} tokens{of}" in Read("".join(html(given))).text) is bool(sum_)


def test_before_anything_has_run_no_tokens_are_told():
    assert "Tokens" not in markdown(applied())
