"""Lists of a remote that cuts them badly: all rows, or an error that says why not."""

from urllib.parse import parse_qs, urlsplit

import pytest
from fault_server import http
from hostile_faults import bodied, dropping, refusing
from hostile_remote import AGENT, KEY, HostileRemote
from patience import PATIENCE, little_work

from taskspec.errors import NotFoundError, ProtocolError, RemoteError, UnreachableError

ROWS = [{"id": f"t{n}", "agent_id": AGENT, "organization_id": "o1", "status": "pending"} for n in range(7)]
IDS = [row["id"] for row in ROWS]


def asked(exchange):
    query = parse_qs(urlsplit(exchange.request.target).query)
    return int(query.get("page", ["1"])[0])


def paged(make):
    """Answer with what `make` makes of the page's number, its rows, and whether it is the last of three."""

    async def fault(exchange):
        page = asked(exchange)
        rows = ROWS[(page - 1) * 3 : page * 3]
        body, headers = make(page, rows, page >= 3)
        await exchange.send(http(200, body, **headers))

    return fault


def linked(rel='rel="next"', before="", query=""):
    def make(page, rows, last):
        target = f"/agent-execution/executions/history/{AGENT}?page={page + 1}{query}"
        return rows, {} if last else {"link": f"{before}<{target}>; {rel}"}

    return paged(make)


WHOLE = {
    "array": paged(lambda page, rows, last: (ROWS, {})),
    "link": linked(),
    "link without quotes": linked("rel=next"),
    "link among others": linked(before='</x?page=9>; rel="last", </x?page=1>; rel="prev", '),
    "link with a title": linked('title="more, and more"; rel="next"'),
    "link of two relations": linked('rel="next last"'),
    "link in other letters": linked('REL="Next"'),
    "items": paged(lambda page, rows, last: ({"items": rows, "page": page, "total_pages": 3, "total": 7}, {})),
    "items only": paged(lambda page, rows, last: ({"items": ROWS}, {})),
    "rows twice": paged(lambda page, rows, last: ({"items": ROWS[:5] * 2 + ROWS, "page": 1, "total_pages": 1}, {})),
    "no rows at the end": paged(
        lambda page, rows, last: ({"items": ROWS if page == 1 else [], "page": page, "total_pages": 3}, {})
    ),
}


@pytest.mark.parametrize("how", WHOLE)
def test_a_list_is_whole_however_it_is_cut(client, remote, how):
    remote.afflict(WHOLE[how], "GET")
    assert sorted(row.id for row in client("list", AGENT)) == IDS


SHORT = {
    "pages as text": paged(lambda page, rows, last: ({"items": rows, "page": str(page), "total_pages": "3"}, {})),
    "a total only": paged(lambda page, rows, last: ({"items": rows, "page": page, "per_page": 3, "total": 7}, {})),
    "has_more": paged(lambda page, rows, last: ({"items": rows, "page": page, "has_more": not last}, {})),
    "a page that is none": paged(lambda page, rows, last: ({"items": rows, "page": None, "total_pages": 3}, {})),
}


@pytest.mark.parametrize("how", SHORT)
def test_a_part_of_a_list_is_not_taken_for_the_whole(client, remote, how):
    remote.afflict(SHORT[how], "GET")
    found = client("list", AGENT)
    assert isinstance(found, ProtocolError) or sorted(row.id for row in found) == IDS, found


WRONG = {
    "a circle of links": paged(lambda page, rows, last: (rows, {"link": f'<?page={page % 2 + 1}>; rel="next"'})),
    "the same page for ever": paged(lambda page, rows, last: ({"items": ROWS, "page": 1, "total_pages": 3}, {})),
    "a link to another path": paged(lambda page, rows, last: (rows, {"link": '</agents/list?page=2>; rel="next"'})),
    "items null": paged(lambda page, rows, last: ({"items": None}, {})),
    "items an object": paged(lambda page, rows, last: ({"items": {"0": rows[0]}}, {})),
    "an object": paged(lambda page, rows, last: ({"tasks": rows}, {})),
    "null": paged(lambda page, rows, last: (None, {})),
    "text": paged(lambda page, rows, last: ("rows", {})),
    "a row without an id": paged(lambda page, rows, last: ([*rows, {"status": "pending"}], {})),
    "a row with a number as id": paged(lambda page, rows, last: ([*rows, {**rows[0], "id": 5}], {})),
    "a row that is null": paged(lambda page, rows, last: ([*rows, None], {})),
    "HTML": bodied(lambda c: b"<html>", "text/html"),
    "a cut body": bodied(lambda c: c[:-1]),
}


@pytest.mark.parametrize("how", WRONG)
def test_a_list_that_cannot_be_read_is_an_error(client, remote, how):
    remote.afflict(WRONG[how], "GET")
    error = client("list", AGENT)
    assert type(error) is ProtocolError, repr(error)
    assert len(remote.received) < 10


def test_a_link_to_another_server_takes_neither_the_request_nor_the_key_there(client, remote):
    with HostileRemote() as other:
        place = f"{other.root}/agent-execution/executions/history/{AGENT}?page="
        remote.afflict(
            paged(lambda page, rows, last: (rows, {} if last else {"link": f'<{place}{page + 1}>; rel="next"'})), "GET"
        )
        found = client("list", AGENT)
        assert isinstance(found, RemoteError) or sorted(row.id for row in found) == IDS
        assert other.received == []


def test_pages_that_never_end_are_given_up(client, remote, monkeypatch):
    from taskspec.taskapi import paging

    monkeypatch.setattr(paging, "MAX_PAGES", 20)
    remote.afflict(paged(lambda page, rows, last: ({"items": ROWS[:1], "page": page, "total_pages": 10**9}, {})), "GET")
    assert type(client("list", AGENT)) is ProtocolError
    assert len(remote.received) == 20


LINKS = {
    "brackets": "<" * 30_000,
    "semicolons": "<?page=2>" + ";" * 30_000,
    "spaces": "<?page=2>" + " " * 30_000 + "; rel=prev",
    "links": ", ".join(f'<?page={n}>; rel="item"' for n in range(2000)),
}


@pytest.mark.parametrize("how", LINKS)
def test_a_link_that_is_hard_to_read_takes_little_work(client, remote, how):
    remote.afflict(paged(lambda page, rows, last: (ROWS, {"link": LINKS[how]})), "GET")
    with little_work():
        found = client("list", AGENT)
    assert isinstance(found, RemoteError) or sorted(row.id for row in found) == IDS


def test_a_storm_on_the_second_page_costs_no_row(client, remote):
    remote.afflict(dropping(effect=False), "GET", times=2, skip=1)
    remote.afflict(linked(), "GET")
    assert sorted(row.id for row in client("list", AGENT)) == IDS


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(refusing(500), UnreachableError), (refusing(404), NotFoundError), (dropping(effect=False), UnreachableError)],
)
def test_a_page_that_never_comes_leaves_no_part_of_a_list(client, remote, fault, kind):
    remote.afflict(linked(), "GET", times=1)
    remote.afflict(fault, "GET")
    assert type(client("list", AGENT)) is kind


def test_ten_thousand_rows_are_listed(client, remote):
    rows = [{**ROWS[0], "id": f"t{n}", "title": "x" * 100} for n in range(10_000)]
    remote.afflict(paged(lambda page, _, last: (rows, {})), "GET")
    assert len(client("list", AGENT)) == 10_000
    assert client.took < PATIENCE


def test_rows_of_unknown_statuses_are_kept(client, remote):
    odd = [{**ROWS[0], "status": "hibernating"}, {**ROWS[1], "status": None}, {**ROWS[2], "status": 5}, ROWS[3]]
    remote.afflict(paged(lambda page, rows, last: (odd, {})), "GET")
    items = client("list", AGENT)
    assert [item.id for item in items] == IDS[:4]
    assert items[0].status == "hibernating"
    assert {item.status for item in items[1:3]}.isdisjoint({"completed", "pending"})


def test_the_key_in_a_row_is_no_part_of_what_is_shown(client, remote):
    remote.afflict(paged(lambda page, rows, last: ([{"detail": KEY}], {})), "GET")
    assert type(client("list", AGENT)) is ProtocolError


@pytest.mark.parametrize("body", [None, {"items": None}, "x", 5])
def test_agents_that_cannot_be_read_are_an_error(clients, remote, body):
    from taskspec import Agents

    client = clients()
    remote.afflict(paged(lambda page, rows, last: (body, {})), "GET")
    agents = Agents(client.configuration)
    assert type(client("list", of=agents)) is ProtocolError
    client("close", of=agents)


def large(exchange):
    """Return a list of seven rows, of three at most where pages are asked for, and its headers."""
    query = parse_qs(urlsplit(exchange.request.target).query)
    page = int(query.get("page", ["1"])[0])
    rows = [row | {"result": "x" * 1000} for row in ROWS]
    more = f"</agent-execution/executions/history/{AGENT}?per_page=3&page={page + 1}>; rel=next"
    headers = {"taskspec_capabilities": "pages"}
    if "per_page" in query:
        rows, headers = rows[page * 3 - 3 : page * 3], headers | ({"link": more} if page < 3 else {})
    return rows, headers


@pytest.mark.parametrize("announced", [True, False])
def test_a_list_larger_than_an_answer_is_read_in_pages_where_the_remote_has_them(
    client, remote, monkeypatch, announced
):
    from taskspec.taskapi.drivers import dialling

    async def fault(exchange):
        rows, headers = large(exchange)
        await exchange.send(http(200, rows, **headers if announced else {}))

    monkeypatch.setattr(dialling, "MAX_RESPONSE", 5000)
    remote.afflict(fault, "GET")
    found = client("list", AGENT)
    if not announced:
        assert type(found) is UnreachableError
        assert len(remote.received) == 1
        return
    assert [row.id for row in found] == IDS
    assert len(remote.received) == 4
    assert [row.id for row in client("list", AGENT)] == IDS
    assert len(remote.received) == 7


def test_the_row_of_a_list_is_loaded_whole(client, remote):
    (item,) = client("list", AGENT)
    task = client("load", of=item)
    assert task.title == "first"
    remote.afflict(refusing(404, {"detail": "gone"}), "GET")
    assert type(client("load", of=item)) is NotFoundError
