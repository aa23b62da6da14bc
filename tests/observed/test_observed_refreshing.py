"""Looking at runs: a remote played by hand, which counts what it is asked."""

import asyncio
import json
from dataclasses import dataclass, field

import pytest

from taskspec.errors import AuthenticationError, UnreachableError
from taskspec.observed.model import Absent, Present, Unreadable
from taskspec.observed.refreshing import find_marked, observe, observe_all, requests_of
from taskspec.taskapi.messages import Request, Response
from taskspec.taskapi.remotes import Traits

LIST = "/agent-execution/executions/history/"


def row(run, status, agent="a1", **more):
    return {"id": run, "agent_id": agent, "organization_id": "o", "input": {}, "status": status} | more


@dataclass
class PlayedRemote:
    """Answers requests from rows; `lists_lag` hides all rows from lists, `broken` paths answer as they are told."""

    rows: list
    traits: Traits = field(default_factory=lambda: Traits(pages_lists=True))
    lists_lag: bool = False
    filters: bool = True
    broken: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    most_at_once: int = 0
    at_once: int = 0

    async def run(self, call):
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            step = next(call)
            while True:
                await asyncio.sleep(0)
                told = self.answer(step) if isinstance(step, Request) else None
                step = call.throw(told) if isinstance(told, Exception) else call.send(told)
        except StopIteration as end:
            return end.value
        finally:
            self.at_once -= 1

    def answer(self, request):
        query = dict(request.query)
        target = request.path + (f"?{query['status']}" if "status" in query else "")
        self.asked.append(target)
        for path, trouble in self.broken.items():
            if target.startswith(path):
                return trouble if isinstance(trouble, Exception) else self.response(trouble, {"detail": "no"})
        if request.path.startswith(LIST):
            agent = request.path.removeprefix(LIST)
            wanted = query.get("status") if self.filters else None
            rows = [r for r in self.rows if r["agent_id"] == agent and wanted in (None, r["status"])]
            return self.response(200, [] if self.lists_lag else rows)
        run = request.path.split("/")[2]
        found = [r for r in self.rows if r["id"] == run]
        return self.response(200, found[0] | {"full": True}) if found else self.response(404, {"detail": "gone"})

    @staticmethod
    def response(status, body):
        return Response(status=status, headers={"content-type": "application/json"}, content=json.dumps(body).encode())


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


def test_nothing_is_asked_where_there_is_nothing_to_look_at():
    remote = PlayedRemote([])
    assert look(remote) == {}
    assert look(remote, ask=observe_all) == {}
    assert asyncio.run(find_marked(remote, {})) == {}
    assert not remote.asked


def test_few_requests_are_out_at_once():
    remote = PlayedRemote([row(f"r{n}", "completed") for n in range(200)])
    look(remote, *(f"r{n}" for n in range(200)))
    assert 1 < remote.most_at_once <= 16


def find(remote, **markers):
    return asyncio.run(find_marked(remote, {nonce: ("a1", marker) for nonce, marker in markers.items()}))


def test_marked_runs_are_found_by_the_exact_end_of_their_titles_in_one_list():
    rows = [
        row("r1", "executing", title="[draft] Report [ts1.x.n1]"),
        row("r2", "executing", title="[ts1.x.n1] Report"),
        row("r3", "executing", title="Report ts1.x.n1]"),
        row("r4", "executing", title=None),
        row("r5", "executing", title="Twin [ts1.x.n1] "),
        row("r6", "executing", agent="a2", title="[ts1.x.n1]"),
    ]
    remote = PlayedRemote(rows)
    found = find(remote, n1="[ts1.x.n1]", n2="[ts1.x.n2]")
    assert [record.id for record in found["n1"].runs] == ["r1", "r5"]
    assert found["n2"].runs == ()
    assert remote.asked == [f"{LIST}a1"]


@pytest.mark.parametrize(
    ("title", "keeps"),
    [
        ("Report [ts1.x.n9]", True),
        ("Report", False),
        ("Report [ts1.other.n1]", False),
        ("Report [ts1.x.n1", False),
        ("Report [draft]", False),
        (None, False),
    ],
)
def test_only_a_whole_marker_of_the_same_lineage_shows_that_titles_are_kept(title, keeps):
    found = find(PlayedRemote([row("r1", "executing", title=title)]), n1="[ts1.x.n1]", n2="[ts1.x.n2]")
    assert found["n2"].keeps_markers is keeps


def test_the_requests_of_a_look_are_lists_by_agent_and_single_reads_of_few():
    runs = {f"r{n}": "a1" for n in range(50)} | {"s1": "a2", "s2": "a2"}
    assert requests_of(runs) == 4
    statuses = dict.fromkeys(runs, "executing") | {f"r{n}": "pending" for n in range(10)}
    remote = PlayedRemote([row(run, statuses[run], agent=agent) for run, agent in runs.items()])
    asyncio.run(observe(remote, runs))
    assert len(remote.asked) == 4


@pytest.mark.parametrize("trouble", [404, 422, 429, 500, UnreachableError("down")])
def test_a_list_that_could_not_be_read_proves_nothing(trouble):
    assert find(PlayedRemote([], broken={LIST: trouble}), n1="[m]") == {}


def test_a_list_with_an_unreadable_row_proves_nothing():
    remote = PlayedRemote([row("", "executing", title="[m]")])
    assert find(remote, n1="[m]") == {}


def test_a_refused_key_stops_the_search():
    with pytest.raises(AuthenticationError):
        find(PlayedRemote([], broken={LIST: 403}), n1="[m]")
