"""Creating once, and listing what was created: idempotency keys and pages."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from patience import little_work

from taskspec.engine.hosting import Mode


def _post(engine, text, key, agent="echo", **headers):
    body = {"input": {"text": text}}
    return engine.http.post(f"/agent-execution/{agent}", json=body, headers={"Idempotency-Key": key, **headers})


def _rows(engine, **query):
    return engine.http.get("/agent-execution/executions/history/echo", params=query)


def test_the_same_key_and_body_find_the_first_run(engine):
    first = _post(engine, "once", "k1")
    engine.until(first.json()["id"])
    again = _post(engine, "once", "k1")
    assert again.status_code == 200
    assert again.json()["id"] == first.json()["id"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert first.headers["idempotency-key"] == again.headers["idempotency-key"] == "k1"
    assert len(_rows(engine).json()) == 1


def test_the_same_key_and_another_body_conflict(project):
    project.shell("other", "cat")
    with project.engine() as engine:
        _post(engine, "once", "k1")
        answers = [
            _post(engine, "twice", "k1"),
            _post(engine, "once", "k1", agent="other"),
            _post(engine, "once", "k1", **{"x-agent-version": "2"}),
        ]
        for answer in answers:
            assert answer.status_code == 409
            assert answer.headers["idempotency-key"] == "k1"
        assert len(_rows(engine).json()) == 1


def test_what_is_kept_of_a_request_tells_nothing_of_its_secrets(engine):
    def post(pin):
        servers = [{"name": "m", "headers": {"a": pin}}, {"name": "n", "url": f"https://n.test/?key={pin}"}]
        body = {"input": {"text": "once"}, "user_tokens": {"pin": pin}, "mcp_servers": servers}
        return engine.http.post("/agent-execution/echo", json=body, headers={"Idempotency-Key": "k1"})

    first, again = post("4711"), post("4712")
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["idempotency-replayed"] == "true"
    assert len(_rows(engine).json()) == 1


def test_a_key_is_remembered_by_the_next_engine(project):
    with project.engine() as engine:
        first = _post(engine, "once", "k1").json()["id"]
        engine.until(first)
    with project.engine() as engine:
        assert _post(engine, "once", "k1").json()["id"] == first


def test_the_order_of_keys_in_a_body_does_not_matter(engine):
    headers = {"Idempotency-Key": "k"}
    bodies = (b'{"input": {"text": "a"}, "title": "t"}', b'{"title":"t","input":{"text":"a"}}')
    ids = {engine.http.post("/agent-execution/echo", content=b, headers=headers).json()["id"] for b in bodies}
    assert len(ids) == 1


def test_one_key_at_the_same_moment_makes_one_run(engine):
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: _post(engine, "once", "k"), range(24)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1


@pytest.mark.parametrize("key", ["", "with space", "x" * 256])
def test_a_key_of_another_form_is_refused(engine, key):
    assert _post(engine, "x", key).status_code == 422
    assert _rows(engine).json() == []


def test_pages_lead_on_and_are_stable_while_rows_are_inserted(project):
    with project.engine(mode=Mode.RECOVER) as engine:
        runs = [engine.create("echo", title=str(number))["id"] for number in range(7)]
        seen, sizes = [], []
        page = _rows(engine, per_page=3, status="pending")
        while True:
            seen += [row["id"] for row in page.json()]
            sizes.append(len(page.json()))
            if "next" not in page.links:
                break
            engine.create("echo")
            page = engine.http.get(page.links["next"]["url"])
    assert seen == runs[::-1]
    assert sizes == [3, 3, 1]


def test_the_next_page_is_named_as_the_caller_called(project):
    with project.engine(mode=Mode.RECOVER) as engine:
        for _ in range(2):
            engine.create("echo")
        link = engine.http.get("/org1/agent-execution/executions/history/echo", params={"per_page": 1}).links["next"]
    assert link["url"].startswith(
        f"{engine.handle.url}/org1/agent-execution/executions/history/echo?per_page=1&before="
    )


def test_a_page_is_cut_by_its_size_too(project):
    project.shell("big", "head -c 1500000 /dev/zero | tr '\\0' x")
    with project.engine() as engine:
        for _ in range(4):
            engine.run("big")
        page = engine.http.get("/agent-execution/executions/history/big", params={"per_page": 100})
        assert len(page.json()) == 2
        rest = engine.http.get(page.links["next"]["url"])
        assert len(rest.json()) == 2
        assert "next" not in rest.links


@pytest.mark.parametrize("query", [{"per_page": "0"}, {"per_page": "1001"}, {"per_page": "x"}, {"before": "-1"}])
def test_a_wrong_page_is_refused(engine, query):
    assert _rows(engine, **query).status_code == 422


def test_a_wrong_status_in_a_filter_is_refused(engine):
    assert _rows(engine, status="running").status_code == 422


def test_ten_thousand_rows_are_listed_with_little_work(project):
    import sqlite3

    with project.engine(mode=Mode.RECOVER) as engine:
        engine.create("echo", "x" * 1000)
    with sqlite3.connect(project.data / "engine.db") as connection:
        columns = "agent_id, status, turn, row, task"
        connection.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)"
            f" INSERT INTO runs (id, {columns}) SELECT 'r' || i, {columns} FROM runs, n"
        )
    connection.close()
    with project.engine(mode=Mode.READ) as engine, little_work():
        assert len(json.loads(_rows(engine).text)) == 10_000
