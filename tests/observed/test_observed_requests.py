"""How many requests a look costs: a page for each fifty active runs, and nothing for what is settled."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from math import ceil
from urllib.parse import urlencode

import pytest

from taskspec.observed.finding import find_marked
from taskspec.observed.refreshing import observe
from taskspec.taskapi.messages import Request, Response
from taskspec.taskapi.remotes import Traits

LARGEST_PAGE = 50


@dataclass
class PagedRemote:
    """Lists runs (id → agent, status, title) in pages of fifty at most, whatever is asked for."""

    runs: dict
    traits: Traits = field(default_factory=lambda: Traits(pages_lists=True))
    asked: Counter = field(default_factory=Counter)

    async def run(self, call):
        try:
            step = next(call)
            while True:
                step = call.send(self.answer(step) if isinstance(step, Request) else None)
        except StopIteration as end:
            return end.value

    def answer(self, request):
        *_, place, last = request.path.split("/")
        if place != "history":
            self.asked["single reads"] += 1
            return self.response(self.row(place))
        self.asked["pages"] += 1
        query = dict(request.query)
        size, page = min(LARGEST_PAGE, int(query.get("per_page", LARGEST_PAGE))), int(query.get("page", 1))
        rows = [self.row(run) for run, (agent, *_) in self.runs.items() if agent == last]
        rows = [row for row in rows if query.get("status") in (None, row["status"])]
        shown = rows[(page - 1) * size : page * size]
        following = urlencode(query | {"page": page + 1})
        more = {"link": f'<?{following}>; rel="next"'} if page * size < len(rows) else {}
        return self.response(shown, more)

    def row(self, run):
        agent, status, title = self.runs[run]
        return {"id": run, "agent_id": agent, "organization_id": "o", "input": {}, "status": status, "title": title}

    @staticmethod
    def response(body, headers=None):
        kind = {"content-type": "application/json"}
        return Response(status=200, headers=kind | (headers or {}), content=json.dumps(body).encode())


def agent_runs(agent, **statuses):
    return {
        f"{agent}-{status}-{number}": (agent, status, f"Report {number}")
        for status, count in statuses.items()
        for number in range(count)
    }


def looked(remote, runs):
    seen = asyncio.run(observe(remote, {run: agent for run, (agent, *_) in runs.items()}))
    assert seen.keys() == runs.keys()
    return remote.asked


@pytest.mark.parametrize("count", [50, 51, 100, 1000])
def test_active_runs_of_one_status_cost_a_page_for_each_fifty(count):
    runs = agent_runs("a1", executing=count)
    assert looked(PagedRemote(runs), runs) == {"pages": ceil(count / LARGEST_PAGE)}


@pytest.mark.parametrize(("executing", "pending"), [(500, 500), (10, 990), (3, 0), (0, 1000)])
def test_active_runs_cost_a_page_for_each_fifty_of_a_status_and_no_single_read(executing, pending):
    runs = agent_runs("a1", executing=executing, pending=pending)
    pages = max(ceil(executing / LARGEST_PAGE), 1) + ceil(pending / LARGEST_PAGE)
    assert looked(PagedRemote(runs), runs) == {"pages": pages}


def test_runs_that_ended_before_are_not_paged_through():
    active = agent_runs("a1", executing=100)
    remote = PagedRemote(active | agent_runs("a1", completed=5000, failed=500))
    assert looked(remote, active) == {"pages": 2}


def test_a_few_runs_of_an_agent_are_no_reason_to_list():
    runs = agent_runs("a1", executing=2) | agent_runs("a2", pending=1)
    assert looked(PagedRemote(runs), runs) == {"single reads": 3}


@pytest.mark.parametrize("unknown", [1, 10, 200])
def test_settling_costs_the_pages_of_an_agent_however_many_outcomes_are_unknown(unknown):
    remote = PagedRemote(agent_runs("a1", completed=120) | agent_runs("a2", completed=30))
    markers = {f"n{number}": (f"a{1 + number % 2}", f"[ts1.x.n{number}]") for number in range(unknown)}
    found = asyncio.run(find_marked(remote, markers))
    assert found.keys() == markers.keys()
    agents = {agent for agent, _ in markers.values()}
    assert remote.asked == {"pages": sum({"a1": 3, "a2": 1}[agent] for agent in agents)}
