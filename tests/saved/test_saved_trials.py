"""What becomes of the world between a plan and its apply takes away from the plan, refuses it, or changes nothing.

TASKSPEC_PLAN_TRIALS says how many trials are made, and TASKSPEC_PLAN_SEED which are the first; `saved_trials.py` plays
one of them again.
"""

import os
from collections import Counter

import pytest
from saved_trials import trials

TRIALS = int(os.environ.get("TASKSPEC_PLAN_TRIALS", "200"))
SEED = int(os.environ.get("TASKSPEC_PLAN_SEED", "0"))
GROUP = 20


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, TRIALS, GROUP))
def test_nothing_goes_out_that_the_plan_does_not_have(first, tmp_path):
    found, wrong = Counter(), []
    for kind, _ in trials(tmp_path, min(GROUP, TRIALS - first), SEED + first):
        if isinstance(kind, AssertionError):
            wrong.append(str(kind))
        else:
            found[kind] += 1
    print(f"seed {SEED + first}: {dict(found)}")
    assert not wrong, "\n".join(wrong)
    assert found
