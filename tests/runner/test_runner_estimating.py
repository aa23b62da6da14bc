"""A plan is estimated by what the history tells of the very tasks that it may pay for."""

import asyncio

from kept_state import reading

from taskspec.plan.estimates import Spread
from taskspec.plan.estimating import likely_tokens, total_tokens
from taskspec.runner.planning import plan
from taskspec.state.sqlite import SqliteState


def run_of(seconds, tokens):
    began = 1_700_000_000.0
    spent = {"prompt_tokens": tokens, "completion_tokens": 0}
    times = {"started_at": began, "finished_at": began + seconds}
    return [{"status": "completed", "result": "answer", "tokens": spent, **times}]


def changed_after(ports, *runs, prompt="Another."):
    """Apply a task once for each of the runs, each time with another prompt, and then change it once more."""
    for number, steps in enumerate(runs):
        ports.task(prompt=f"Write {number}.")
        ports.remote.scripts[f"Write {number}."] = [steps]
        ports.apply()
    ports.task(prompt=prompt)


def test_what_runs_took_is_recorded_and_is_what_the_next_is_likely_to_take(ports):
    changed_after(ports, run_of(2.0, 100), run_of(4.0, 300))
    (change,) = plan(ports.invocation(), ports).changes
    assert change.estimate.seconds == Spread(p50=2.0, p90=4.0, runs=2)
    assert change.estimate.tokens == Spread(p50=100, p90=300, runs=2)


def test_a_run_of_which_the_remote_tells_nothing_leaves_it_unknown(ports):
    changed_after(ports, ["completed"])
    (change,) = plan(ports.invocation(), ports).changes
    assert (change.estimate.seconds, change.estimate.tokens) == (None, None)


def test_an_apply_shows_the_same_estimates_as_the_plan(ports):
    changed_after(ports, run_of(2.0, 100))
    shown = []
    ports.apply(approve=lambda made: shown.append(made) or False)
    assert shown[0].changes[0].estimate == plan(ports.invocation(), ports).changes[0].estimate


def test_a_run_that_was_stopped_is_recorded_and_estimates_nothing(ports):
    ports.task()
    ports.remote.scripts["Write."] = [["executing"]]
    ports.apply(wait=False)
    ports.remote.stops = [{"status": "stopped", "tokens": {"prompt_tokens": 5, "completion_tokens": 1}}]
    asyncio.run(_stopped(ports))
    with reading(ports.folder) as store:
        note = next(entry.note for entry in store.history("a") if entry.note.what == "stopped")
    assert (note.data["verdict"], note.data["tokens"]) == ("stopped", {"prompt": 5, "completion": 1})
    ports.task(prompt="Another.")
    (change,) = plan(ports.invocation(), ports).changes
    assert change.estimate.tokens is None


async def _stopped(ports):
    from taskspec.runner.stopping import stop

    ports.events = []
    assert await stop(ports.invocation(), ports, lambda _: True, ports.events.append)


def test_an_unchanged_plan_reads_no_more_of_the_history_than_its_newest_entry(ports, monkeypatch):
    changed_after(ports, run_of(2.0, 100), prompt="Write 0.")
    history = SqliteState.history

    def unread(self, address=None, *, limit=None):
        if address is None and limit == 1:  # which tells whether the state was carried elsewhere
            return history(self, limit=1)
        raise AssertionError("the history is not needed")

    monkeypatch.setattr(SqliteState, "history", unread)
    assert plan(ports.invocation(), ports).pending == ()


def test_a_task_under_another_name_is_estimated_by_its_runs_before(ports):
    changed_after(ports, run_of(2.0, 100))
    (ports.folder / "a.yaml").unlink()
    ports.task("b", prompt="Write 0.")
    ports.apply()
    ports.task("b", prompt="Another.")
    assert likely_tokens(plan(ports.invocation(), ports).changes) == {"b": 100}


def test_conditional_runs_count_as_certain(ports):
    ports.task("a", prompt="Write 0.")
    ports.task("b", prompt='"Sum up: {{ tasks.a.result }}"')
    ports.remote.scripts["Write 0."] = [run_of(1.0, 10)]
    ports.remote.scripts["Sum up: answer"] = [run_of(1.0, 20)]
    ports.apply()
    ports.task("a", prompt="Another.")
    made = plan(ports.invocation(), ports)
    assert (made.paid_runs, made.conditional_runs) == (2, 1)
    assert (total_tokens(made).p50, total_tokens(made).known) == (30, 2)
