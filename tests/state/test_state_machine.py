"""Every store, tried in any order by several commands at once: hypothesis looks for the shortest broken promise.

STATE_EXAMPLES=1000 .venv/bin/python -m pytest -q tests/state/test_state_machine.py     for longer
"""

import os

import pytest
from broken_stores import BROKEN
from contending_stores import Contest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from state_servers import KINDS

from taskspec.state import locking

EXAMPLES = int(os.environ.get("STATE_EXAMPLES", "15"))
TOLD = settings(max_examples=EXAMPLES, stateful_step_count=25, print_blob=True, deadline=None)
CONTROL = settings(
    TOLD, max_examples=300, derandomize=True, database=None, phases=[Phase.generate], report_multiple_bugs=False
)


@pytest.fixture(autouse=True)
def unhurried_by_others(monkeypatch):
    """Nobody looks at a file's lock at the very moment when somebody else takes it."""
    monkeypatch.setattr(locking, "PAUSE", 0.0)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_store_does_what_its_model_does(kind):
    # what fails over a server is told as it was found: to look for the shortest story would take minutes
    told = TOLD if kind == "sqlite" else settings(TOLD, phases=[Phase.reuse, Phase.generate])
    run_state_machine_as_test(lambda: Contest(kind), settings=told)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_a_store_that_breaks_a_promise_is_caught(broken):
    def opening(place, folder, *, read_only=False, **said):
        return broken(folder, "sales", "default", read_only=read_only)

    with pytest.raises((AssertionError, pytest.fail.Exception)):
        run_state_machine_as_test(lambda: Contest("sqlite", opening), settings=CONTROL)
