"""A budget of tokens counts what the runs of a plan are likely to use: the p90 of each task's own runs."""

import pytest
from test_runner_estimating import changed_after, run_of

from taskspec.errors import LimitError
from taskspec.runner.planning import plan

PROJECT = """\
apiVersion: taskspec/v1
kind: Project
metadata: {name: sales}
spec: {remote: xpander, budget: {maxTokens: %d}}
"""


@pytest.mark.parametrize(("most", "refused"), [(700, False), (699, True)])
def test_a_plan_is_refused_that_is_likely_to_use_more_than_is_left(ports, most, refused):
    changed_after(ports, run_of(2.0, 100), run_of(4.0, 300))
    ports.write(PROJECT % most, "taskspec.yaml")
    made = plan(ports.invocation(), ports)
    assert made.spending.estimated == 300
    assert bool(made.refusals) is refused
    if refused:
        with pytest.raises(LimitError):
            ports.apply()
    assert ports.remote.asked["POST"] == 2


def test_a_run_of_which_nothing_is_known_is_told_to_be_unknown(ports):
    changed_after(ports, ["completed"])
    ports.write(PROJECT % 10_000, "taskspec.yaml")
    made = plan(ports.invocation(), ports)
    assert (made.spending.estimated, made.spending.not_estimated) == (0, 1)
