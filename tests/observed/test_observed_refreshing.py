"""Looking at runs: a remote played by hand, which counts what it is asked."""

import asyncio
import json

import pytest
from played_remote import LIST, PlayedRemote, row

from taskspec.errors import AuthenticationError, UnreachableError
from taskspec.observed.model import Absent, Present, Unreadable
from taskspec.observed.refreshing import observe, observe_all, requests_of


def look(remote, *runs, ask=observe, agent="a1"):
    return asyncio.run(ask(remote, dict.fromkeys(runs, agent)))


def test_one_or_two_runs_are_read_singly():
    remote = PlayedRemote([row("r1", "executing"), row("r2", "completed")])
    seen = look(remote, "r1", "r2")
    assert [seen[run].record.status for run in ("r1", "r2")] == ["executing", "completed"]
    assert len(remote.asked) == 2


def test_many_active_runs_cost_two_lists():
    runs = [f"r{n}" for n in range(500)]
    remote = PlayedRemote([row(run, "executing" if n % 2 else "pending") for n, run in enumerate(runs)])
    seen = look(remote, *runs)
    assert len(seen) == 500
    assert sorted(remote.asked) == [f"{LIST}a1?executing", f"{LIST}a1?pending"]


def test_runs_that_ended_or_are_paused_are_read_in_full():
    remote = PlayedRemote([row("r1", "executing"), row("r2", "completed"), row("r3", "paused"), row("r4", "odd")])
    seen = look(remote, "r1", "r2", "r3", "r4")
    assert {run: seen[run].record.status for run in seen} == {
        "r1": "executing",
        "r2": "completed",
        "r3": "paused",
        "r4": "odd",
    }
    assert [run for run in seen if seen[run].record.raw.get("full")] == ["r2", "r3", "r4"]


def test_a_remote_that_ignores_the_filter_deceives_nobody():
    remote = PlayedRemote([row("r1", "completed"), row("r2", "completed"), row("r3", "executing")], filters=False)
    seen = look(remote, "r1", "r2", "r3")
    assert [run for run in sorted(seen) if seen[run].record.raw.get("full")] == ["r1", "r2"]


def test_runs_that_no_list_shows_are_not_absent():
    remote = PlayedRemote([row(f"r{n}", "executing") for n in range(5)], lists_lag=True)
    seen = look(remote, *(f"r{n}" for n in range(5)))
    assert all(isinstance(observation, Present) for observation in seen.values())


def test_only_two_404_prove_an_absence():
    remote = PlayedRemote([])
    assert look(remote, "r1") == {"r1": Absent()}
    assert len(remote.asked) == 2


def test_a_run_that_appears_at_the_second_look_is_present():
    remote = PlayedRemote([])

    def late(request):
        response = PlayedRemote.answer(remote, request)
        remote.rows = [row("r1", "pending")]
        return response

    remote.answer = late
    assert isinstance(look(remote, "r1")["r1"], Present)


@pytest.mark.parametrize("trouble", [500, 429, 422, UnreachableError("no connection")])
def test_trouble_with_one_run_leaves_the_others_readable(trouble):
    remote = PlayedRemote([row("r1", "executing"), row("r2", "executing")], broken={"/agent-execution/r2/": trouble})
    seen = look(remote, "r1", "r2")
    assert isinstance(seen["r1"], Present)
    assert isinstance(seen["r2"], Unreadable)
    assert seen["r2"].reason


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("path", ["/agent-execution/r2/", LIST])
def test_a_refused_key_stops_everything(status, path):
    remote = PlayedRemote([row(f"r{n}", "completed") for n in range(4)], broken={path: status})
    with pytest.raises(AuthenticationError):
        look(remote, "r0", "r1", "r2", "r3")


def test_a_list_that_is_refused_is_replaced_by_single_reads():
    remote = PlayedRemote([row(f"r{n}", "executing") for n in range(3)], broken={LIST: 422})
    seen = look(remote, "r0", "r1", "r2")
    assert all(isinstance(observation, Present) for observation in seen.values())


@pytest.mark.parametrize("trouble", [503, 429, UnreachableError("down")])
def test_a_list_that_fails_makes_unreadable_what_no_other_list_shows(trouble):
    pending, executing = ["r1", "r2", "r3"], ["r4", "r5"]
    rows = [*(row(run, "pending") for run in pending), *(row(run, "executing") for run in executing)]
    remote = PlayedRemote(rows, broken={f"{LIST}a1?pending": trouble})
    seen = look(remote, *pending, *executing)
    assert [type(seen[run]) for run in (*pending, *executing)] == [Unreadable] * 3 + [Present] * 2
    assert len(remote.asked) == 2


def test_a_second_list_is_not_asked_for_where_few_runs_are_left_to_find():
    runs = [f"r{n}" for n in range(100)]
    remote = PlayedRemote([row(run, "pending" if run == "r7" else "executing") for run in runs])
    assert len(look(remote, *runs)) == 100
    assert len(remote.asked) == 2
    assert remote.asked[0] == f"{LIST}a1?executing"
    assert "r7" in remote.asked[1]


def test_a_full_look_costs_one_list_for_each_agent():
    rows = [row(f"{agent}-{n}", "completed", agent) for agent in ("a1", "a2") for n in range(100)]
    remote = PlayedRemote(rows)
    seen = asyncio.run(observe_all(remote, {r["id"]: r["agent_id"] for r in rows}))
    assert len(seen) == 200
    assert sorted(remote.asked) == [f"{LIST}a1", f"{LIST}a2"]


def test_a_full_look_reads_singly_what_its_list_does_not_show():
    remote = PlayedRemote([row("r1", "completed")])
    seen = look(remote, "r1", "r2", ask=observe_all)
    assert isinstance(seen["r1"], Present)
    assert seen["r2"] == Absent()


def test_a_full_look_reads_what_a_paused_run_waits_for():
    remote = PlayedRemote([row("r1", "paused"), row("r2", "completed"), row("r3", "dreaming")])
    seen = look(remote, "r1", "r2", "r3", ask=observe_all)
    assert {run: seen[run].record.status for run in seen} == {"r1": "paused", "r2": "completed", "r3": "dreaming"}
    assert [run for run in seen if seen[run].record.raw.get("full")] == ["r1"]


@pytest.mark.parametrize("ask", [observe, observe_all])
def test_a_capped_list_costs_single_reads_and_loses_nothing(ask):
    remote = PlayedRemote([row(f"r{n}", "executing") for n in range(9)])
    whole = remote.answer

    def capped(request):
        response = whole(request)
        rows = json.loads(response.content)
        return remote.response(200, rows[:4]) if isinstance(rows, list) else response

    remote.answer = capped
    seen = look(remote, *(f"r{n}" for n in range(9)), ask=ask)
    assert [type(seen[f"r{n}"]) for n in range(9)] == [Present] * 9
    assert sum("/status" in path for path in remote.asked) == 5


@pytest.mark.parametrize("ask", [observe, observe_all])
def test_a_row_that_is_repeated_with_another_status_is_taken_once(ask):
    rows = [row("r1", "executing"), row("r1", "executing"), row("r2", "executing"), row("r3", "executing")]
    seen = look(PlayedRemote(rows), "r1", "r2", "r3", ask=ask)
    assert all(isinstance(observation, Present) for observation in seen.values())


def test_nothing_is_asked_where_there_is_nothing_to_look_at():
    remote = PlayedRemote([])
    assert look(remote) == {}
    assert look(remote, ask=observe_all) == {}
    assert not remote.asked


def test_few_requests_are_out_at_once():
    remote = PlayedRemote([row(f"r{n}", "completed") for n in range(200)])
    look(remote, *(f"r{n}" for n in range(200)))
    assert 1 < remote.most_at_once <= 16


def test_the_requests_of_a_look_are_lists_by_agent_and_single_reads_of_few():
    runs = {f"r{n}": "a1" for n in range(50)} | {"s1": "a2", "s2": "a2"}
    assert requests_of(runs) == 4
    statuses = dict.fromkeys(runs, "executing") | {f"r{n}": "pending" for n in range(10)}
    remote = PlayedRemote([row(run, statuses[run], agent=agent) for run, agent in runs.items()])
    asyncio.run(observe(remote, runs))
    assert len(remote.asked) == 4
