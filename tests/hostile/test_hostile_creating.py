"""Creating at a remote that answers badly: nothing is lost in silence, and nothing happens twice."""

import random

import pytest
from fault_server import http
from hostile_faults import (
    altering,
    babbling,
    bodied,
    dropping,
    limiting,
    raw_head,
    refusing,
    stalling,
    writing,
)
from hostile_remote import AGENT, HostileRemote
from patience import PATIENCE

from taskspec.errors import (
    AuthenticationError,
    InvalidError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    RemoteError,
    UnreachableError,
)

UNUSABLE = {
    "dropped": dropping(effect=True),
    "reset": dropping(effect=True, reset=True),
    "half a head": dropping(effect=True, share=0.05),
    "half a body": dropping(effect=True, share=0.9),
    "no HTTP": writing(lambda c: b"\0" * 80, close=True),
    "chunks cut": writing(
        lambda c: raw_head(b"HTTP/1.1 200 OK", b"transfer-encoding: chunked") + b"5\r\n{", close=True
    ),
    "HTML": bodied(lambda c: b"<html>", "text/html"),
    "no content type": bodied(lambda c: c, None),
    "cut JSON": bodied(lambda c: c[:-3]),
    "empty": bodied(lambda c: b""),
    "204": writing(lambda c: b"HTTP/1.1 204 No Content\r\n\r\n"),
    "no task": bodied(lambda c: b"{}"),
    "null as id": altering(lambda t: t | {"id": None}),
    "number as id": altering(lambda t: t | {"id": 7}),
    "list": bodied(lambda c: b"[]"),
    "408": refusing(408, effect=True),
    "500": refusing(500, {"detail": "oops"}, effect=True),
    "502": refusing(502, b"<html>", content_type="text/html", effect=True),
    "503": refusing(503, effect=True),
    "504": refusing(504, effect=True),
    "101": writing(lambda c: raw_head(b"HTTP/1.1 101 Switch", b"upgrade: x"), close=True),
}
WITHOUT_EFFECT = {
    "dropped": dropping(effect=False),
    "reset": dropping(effect=False, reset=True),
    "500": refusing(500),
    "503": refusing(503, {"detail": "starting"}),
    "408": refusing(408),
}
ENDLESS = {
    "silent": stalling(effect=True),
    "silent after the head": stalling(effect=True, share=0.3),
    "silent before the effect": stalling(effect=False),
    "endless 1xx": babbling(raw_head(b"HTTP/1.1 102 Wait")),
}
REFUSED = {
    "301": (refusing(301, headers=lambda: {"location": "/"}), RefusedError),
    "400": (refusing(400, {"detail": "no"}), InvalidError),
    "401": (refusing(401), AuthenticationError),
    "403": (refusing(403), AuthenticationError),
    "404": (refusing(404, b"<html>", content_type="text/html"), NotFoundError),
    "413": (refusing(413), InvalidError),
    "422": (refusing(422, {"detail": [{"loc": ["body"], "msg": "wrong"}]}), InvalidError),
    "billing": (limiting("Billing limit reached"), RateLimitedError),
    "an hour": (limiting(retry_after=lambda: 3600), RateLimitedError),
}


@pytest.fixture
def keyed():
    """A remote that honours idempotency keys."""
    with HostileRemote(honours=True) as server:
        yield server


def creates(server):
    return server.sent("POST", AGENT)


@pytest.mark.parametrize("how", UNUSABLE)
def test_a_create_whose_answer_is_unusable_is_sent_once_where_keys_are_not_honoured(client, remote, how):
    remote.afflict(UNUSABLE[how], "POST")
    error = client("create", AGENT, prompt="p")
    assert isinstance(error, OutcomeUnknownError), repr(error)
    assert error.hint
    assert len(creates(remote)) == 1
    assert len(remote.created) == 1


@pytest.mark.parametrize("how", WITHOUT_EFFECT)
def test_a_create_that_may_have_had_an_effect_is_not_sent_again(client, remote, how):
    remote.afflict(WITHOUT_EFFECT[how], "POST")
    error = client("create", AGENT, prompt="p")
    assert isinstance(error, OutcomeUnknownError), repr(error)
    assert len(creates(remote)) == 1
    assert remote.created == []


@pytest.mark.parametrize("how", UNUSABLE)
def test_a_create_happens_once_and_is_returned_where_keys_are_honoured(clients, keyed, how):
    keyed.afflict(UNUSABLE[how], "POST", times=2)
    task = clients(keyed)("create", AGENT, prompt="p")
    assert not isinstance(task, RemoteError), repr(task)
    assert [made for _, made in keyed.created] == [task.id]
    assert len({request.headers["idempotency-key"] for request in creates(keyed)}) == 1
    assert len({request.body for request in creates(keyed)}) == 1


@pytest.mark.parametrize("how", WITHOUT_EFFECT)
def test_a_lost_create_is_made_up_for_where_keys_are_honoured(clients, keyed, how):
    keyed.afflict(WITHOUT_EFFECT[how], "POST", times=2)
    task = clients(keyed)("create", AGENT, prompt="p")
    assert [made for _, made in keyed.created] == [task.id]


@pytest.mark.parametrize("how", ENDLESS)
def test_a_create_ends_in_time_and_is_sent_once(clients, remote, how):
    remote.afflict(ENDLESS[how], "POST")
    client = clients(create_timeout=1, timeout=0.5)
    error = client("create", AGENT, prompt="p")
    assert isinstance(error, OutcomeUnknownError), repr(error)
    assert client.took < PATIENCE
    assert len(creates(remote)) == 1
    assert len(remote.created) <= 1


@pytest.mark.parametrize("how", ["silent", "silent after the head", "silent before the effect"])
def test_a_create_that_is_not_answered_is_made_up_for_where_keys_are_honoured(clients, keyed, how):
    keyed.afflict(ENDLESS[how], "POST", times=1)
    client = clients(keyed, create_timeout=0.4)
    task = client("create", AGENT, prompt="p")
    assert [made for _, made in keyed.created] == [task.id]
    assert client.took < PATIENCE


def test_a_create_that_is_never_answered_is_given_up_where_keys_are_honoured(clients, keyed):
    keyed.afflict(UNUSABLE["dropped"], "POST")
    client = clients(keyed)
    error = client("create", AGENT, prompt="p")
    assert isinstance(error, OutcomeUnknownError)
    assert len(keyed.created) == 1
    assert 2 <= len(creates(keyed)) <= 8
    assert client.took < PATIENCE


def test_a_remote_that_cannot_be_asked_what_it_can_gets_no_second_create(clients, keyed):
    keyed.afflict(UNUSABLE["dropped"], "POST")
    keyed.afflict(dropping(effect=False), "GET")
    error = clients(keyed)("create", AGENT, prompt="p")
    assert isinstance(error, OutcomeUnknownError)
    assert len(creates(keyed)) == 1


def test_what_was_learned_of_keys_is_forgotten_when_the_remote_stops_saying_it(clients, keyed):
    client = clients(keyed)
    assert client("create", AGENT, prompt="a").id
    keyed.honours = False
    assert client("get", keyed.created[0][1]).id
    keyed.afflict(UNUSABLE["dropped"], "POST")
    assert isinstance(client("create", AGENT, prompt="b"), OutcomeUnknownError)
    assert len(creates(keyed)) == 2


@pytest.mark.parametrize("how", REFUSED)
def test_a_refused_create_is_told_and_sent_once(client, remote, how):
    fault, kind = REFUSED[how]
    remote.afflict(fault, "POST")
    error = client("create", AGENT, prompt="p")
    assert type(error) is kind
    assert len(creates(remote)) == 1
    assert remote.created == []


def test_a_conflict_on_a_create_is_told_and_sent_once(client, remote):
    remote.afflict(refusing(409, {"detail": "in flight"}), "POST")
    error = client("create", AGENT, prompt="p")
    assert isinstance(error, RemoteError)
    assert (error.status, error.detail) == (409, "in flight")
    assert len(creates(remote)) == 1


@pytest.mark.parametrize("headers", [{}, {"retry_after": lambda: 1}])
def test_a_create_waits_for_its_turn_and_happens_once(client, remote, headers):
    remote.afflict(limiting(**headers), "POST", times=2)
    task = client("create", AGENT, prompt="p")
    assert [made for _, made in remote.created] == [task.id]
    assert len(creates(remote)) == 3
    assert client.took > (1.8 if headers else 0)


def test_a_limit_that_lasts_leaves_no_task(client, remote):
    remote.afflict(limiting(), "POST")
    error = client("create", AGENT, prompt="p")
    assert type(error) is RateLimitedError
    assert remote.created == []


def test_a_redirect_takes_no_create_elsewhere(client, remote):
    with HostileRemote() as other:
        remote.afflict(refusing(307, headers=lambda: {"location": f"{other.root}/agent-execution/{AGENT}"}), "POST")
        assert type(client("create", AGENT, prompt="p")) is RefusedError
        assert other.received == []


def test_a_create_to_nobody_leaves_nothing_and_says_so(clients):
    error = clients(base_url="http://127.0.0.1:1")("create", AGENT, prompt="p")
    assert type(error) is UnreachableError


@pytest.mark.parametrize("honours", [False, True])
def test_creates_over_sockets_that_the_remote_closes_happen_once_each(clients, remote, keyed, honours):
    server = keyed if honours else remote
    server.afflict(writing(lambda c: http(200, c, connection="keep-alive"), close=True))
    client = clients(server)
    made = []
    for number in range(5):
        client("list", AGENT) if number % 2 else client("get", "none")
        made.append(client("create", AGENT, prompt=str(number)))
    assert [made_id for _, made_id in server.created] == [task.id for task in made]


def test_a_key_of_the_caller_is_sent_as_it_is_and_makes_one_task(clients, keyed):
    client = clients(keyed)
    tasks = [client("create", AGENT, prompt="p", idempotency_key="mine") for _ in range(3)]
    assert len({task.id for task in tasks}) == 1
    assert {request.headers["idempotency-key"] for request in creates(keyed)} == {"mine"}


def test_each_create_has_a_key_of_its_own(client, remote):
    for _ in range(4):
        client("create", AGENT, prompt="p")
    assert len({request.headers["idempotency-key"] for request in creates(remote)}) == 4


UNKEYED = {
    "dropped": dropping(effect=True),
    "half a body": dropping(effect=True, share=0.9),
    "500": refusing(500, effect=True),
    "HTML": bodied(lambda c: b"<html>", "text/html"),
}


@pytest.mark.parametrize("how", UNKEYED)
@pytest.mark.parametrize("call", ["update", "stop"])
def test_a_change_that_can_be_repeated_is_repeated(client, remote, how, call):
    options = {"result": "r"} if call == "update" else {}
    remote.afflict(UNKEYED[how], "PATCH", times=1)
    remote.afflict(UNKEYED[how], "DELETE", times=1)
    found = client(call, "t1", **options)
    assert remote.tasks["t1"]["status"] == ("stopped" if call == "stop" else "pending")
    if isinstance(found, RemoteError):
        assert how == "HTML"
        assert isinstance(found, OutcomeUnknownError)
    else:
        assert (found.id, found.status, found.result) == (
            "t1",
            remote.tasks["t1"]["status"],
            remote.tasks["t1"].get("result"),
        )


@pytest.mark.parametrize("call", ["update", "stop"])
def test_a_change_that_is_never_answered_is_unknown(client, remote, call):
    options = {"result": "r"} if call == "update" else {}
    remote.afflict(dropping(effect=True), "PATCH")
    remote.afflict(dropping(effect=True), "DELETE")
    error = client(call, "t1", **options)
    assert isinstance(error, OutcomeUnknownError), repr(error)
    assert client.took < PATIENCE


@pytest.mark.parametrize("status", [403, 404, 409, 422])
@pytest.mark.parametrize("call", ["update", "stop"])
def test_a_change_that_is_refused_is_told_and_sent_once(client, remote, call, status):
    remote.afflict(refusing(status, {"detail": "no"}), "PATCH")
    remote.afflict(refusing(status, {"detail": "no"}), "DELETE")
    error = client(call, "t1", **({"result": "r"} if call == "update" else {}))
    assert isinstance(error, RefusedError)
    assert (error.status, error.detail) == (status, "no")
    assert len(remote.received) == 1


def test_a_stop_answered_by_nothing_is_read_back(client, remote):
    remote.afflict(writing(lambda c: b"HTTP/1.1 204 No Content\r\n\r\n"), "DELETE")
    task = client("stop", "t1")
    assert (task.id, task.status) == ("t1", "stopped")


def test_an_answer_about_another_task_is_no_answer_to_an_update(client, remote):
    remote.afflict(altering(lambda t: t | {"id": "t2", "result": "forged"}), "PATCH")
    error = client("update", "t1", result="r")
    assert isinstance(error, OutcomeUnknownError), repr(error)


def test_a_save_sends_the_same_change_after_a_storm(client, remote):
    task = client("get", "t1")
    task.title = "second"
    remote.afflict(refusing(503, effect=True), "PATCH", times=2)
    assert client("save", of=task) is task
    assert remote.tasks["t1"]["title"] == "second"
    assert len({request.body for request in remote.sent("PATCH")}) == 1
    assert task.title == "second"


def test_a_save_that_fails_can_be_made_again(client, remote):
    task = client("get", "t1")
    task.title = "second"
    remote.afflict(refusing(422, {"detail": "no"}), "PATCH", times=1)
    assert isinstance(client("save", of=task), InvalidError)
    assert task.title == "second"
    client("save", of=task)
    assert remote.tasks["t1"]["title"] == "second"


def test_a_report_of_metrics_is_sent_once(client, remote):
    from taskspec import Tokens

    task = client("get", "t1")
    task.tokens = Tokens(prompt_tokens=1, completion_tokens=2)
    remote.afflict(dropping(effect=True), "POST")
    assert isinstance(client("report_metrics", of=task), OutcomeUnknownError)
    assert len(remote.effects) == 1


def test_a_report_of_an_external_task_is_not_made_twice_in_silence(client, remote):
    from taskspec import Task

    remote.afflict(dropping(effect=True), "POST")
    options = {"configuration": client.configuration, "agent_id": AGENT, "input": "i", "result": "r"}
    error = client("report_external_task", of=Task, **options)
    assert isinstance(error, OutcomeUnknownError), repr(error)
    assert len(remote.effects) == 1


CHAOS = [
    *(UNUSABLE[how] for how in ("dropped", "reset", "half a body", "500", "503", "HTML", "cut JSON")),
    *(WITHOUT_EFFECT[how] for how in ("dropped", "500")),
    limiting(),
    limiting(),
]


def unruly(seed):
    dice = random.Random(seed)

    async def fault(exchange):
        if dice.random() < 0.5:
            await dice.choice(CHAOS)(exchange)
        else:
            await exchange.send(exchange.work().wire())

    return fault


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("honours", [False, True])
def test_in_a_storm_of_everything_each_create_tells_the_truth(clients, remote, keyed, honours, seed):
    server = keyed if honours else remote
    server.afflict(unruly(seed), "POST")
    keys = [f"k{number}" for number in range(40)]
    client = clients(server, max_connections=8)
    found = client.together(*(("create", (AGENT,), {"prompt": key, "idempotency_key": key}) for key in keys))
    effects = {key: [task for made, task in server.created if made == key] for key in keys}
    for key, value in zip(keys, found, strict=True):
        if not isinstance(value, Exception):
            assert effects[key] == [value.id]
        elif isinstance(value, OutcomeUnknownError):
            assert len(effects[key]) <= 1
        else:
            assert isinstance(value, RefusedError | UnreachableError), repr(value)
            assert effects[key] == []
    assert sum(isinstance(value, Exception) for value in found) < (40 if not honours else 20)
    if not honours:
        answered_no = {key: [r for r in creates(server) if r.headers["idempotency-key"] == key] for key in keys}
        assert all(len(sent) <= 4 for sent in answered_no.values())
