"""Lists in pages, played by hand."""

import pytest

from taskspec.errors import ProtocolError
from taskspec.taskapi import paging
from taskspec.taskapi.endpoints import list_tasks

PATH = "/agent-execution/executions/history/a1"


def row(name, **more):
    return {"id": name, "agent_id": "a1", "organization_id": "o", "status": "pending"} | more


def ids(records):
    return [record.id for record in records]


def test_a_bare_array_is_one_page(play, answer):
    records, (request,) = play(list_tasks("a1", status="pending", per_page=50), answer(200, [row("t1"), row("t2")]))
    assert ids(records) == ["t1", "t2"]
    assert request.path == PATH
    assert request.query == (("status", "pending"), ("per_page", "50"))


def test_pages_are_asked_for_only_where_the_remote_has_them(play, answer):
    _, (request,) = play(list_tasks("a1", per_page=None), answer(200, []))
    assert request.query == ()


def test_links_lead_through_the_pages_at_the_same_path(play, answer):
    link = f'<http://elsewhere.example/org{PATH}?per_page=2&before=c%2F1>; rel="next", <x>; rel="first"'
    pages = answer(200, [row("t1")], link=link), answer(200, [row("t2")])
    records, (_, second) = play(list_tasks("a1", per_page=2), *pages)
    assert ids(records) == ["t1", "t2"]
    assert second.path == PATH
    assert second.query == (("per_page", "2"), ("before", "c/1"))


def test_a_link_to_another_path_is_refused(play, answer):
    error, yielded = play(list_tasks("a1"), answer(200, [row("t1")], link='</steal?x=1>; rel="next"'))
    assert type(error) is ProtocolError
    assert len(yielded) == 1


def test_pages_that_lead_in_a_circle_are_an_error_not_a_short_list(play, answer):
    circle = [answer(200, [row("t1")], link=f'<{PATH}?before=1>; rel="next"') for _ in range(2)]
    error, _ = play(list_tasks("a1"), *circle)
    assert type(error) is ProtocolError


def test_a_list_without_end_is_an_error(play, answer, monkeypatch):
    monkeypatch.setattr(paging, "MAX_PAGES", 3)
    endless = [answer(200, [], link=f'<{PATH}?before={n}>; rel="next"') for n in range(3)]
    error, _ = play(list_tasks("a1"), *endless)
    assert "does not end" in error.message


def test_an_envelope_is_followed_by_page_numbers(play, answer):
    pages = [answer(200, {"items": [row(f"t{n}")], "page": n, "total_pages": 3}) for n in (1, 2, 3)]
    records, yielded = play(list_tasks("a1", per_page=1), *pages)
    assert ids(records) == ["t1", "t2", "t3"]
    assert [dict(request.query).get("page") for request in yielded] == [None, "2", "3"]


def test_a_task_that_shifts_onto_the_next_page_is_listed_once_and_as_last_seen(play, answer):
    link = f'<{PATH}?before=1>; rel="next"'
    pages = answer(200, [row("t1")], link=link), answer(200, [row("t1", status="completed"), row("t2")])
    records, _ = play(list_tasks("a1"), *pages)
    assert [(record.id, record.status) for record in records] == [("t1", "completed"), ("t2", "pending")]


def test_a_bad_row_does_not_fail_the_list_and_is_not_lost(play, answer):
    records, _ = play(list_tasks("a1"), answer(200, [row("t1"), None, {"status": "completed"}, row("t2", status=3)]))
    assert [(record.id, record.status) for record in records] == [
        ("t1", "pending"),
        ("t2", "unknown"),
        ("", "unknown"),
        ("", "unknown"),
    ]


@pytest.mark.parametrize("body", [{"detail": "x"}, "text", 3, None])
def test_what_is_no_list_is_no_answer(play, answer, body):
    error, _ = play(list_tasks("a1"), answer(200, body))
    assert type(error) is ProtocolError
