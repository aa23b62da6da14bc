"""The state in an object store whose answers go wrong: spoiled on their way from moto's S3 server, or words of S3."""

import threading
import time
import uuid
from datetime import timedelta
from types import SimpleNamespace

import pytest
from s3_proxy import proxy_of
from s3_server import BUCKET, place_at
from state_servers import open_at, server
from state_values import ALICE, BOB, EXTRACT, note, put, put_result, ref

from taskspec.errors import LockHeldError, LostLeaseError, StateError
from taskspec.state.chaining import follow
from taskspec.state.objects import driver
from taskspec.state.objects.answers import answer_of, trouble
from taskspec.state.objects.driver import ObjectRegister
from taskspec.state.registers.port import AwayError, ConflictError


@pytest.fixture
def key():
    return uuid.uuid4().hex


@pytest.fixture
def spoiled():
    with proxy_of(server("s3").port) as (proxy, endpoint):
        proxy.endpoint = endpoint
        yield proxy


@pytest.fixture
def opened(spoiled, key, tmp_path):
    """Open the store once more: through the proxy, or straight."""
    stores = []

    def open_store(*, straight=False, **named):
        place = server("s3").place(key) if straight else place_at(spoiled.endpoint, key)
        stores.append(open_at(place, tmp_path, **named))
        return stores[-1]

    yield open_store
    spoiled.spoils.clear()
    spoiled.deny = lambda method, path: None
    for store in stores:
        store.close()


def register_at(endpoint, key="k", bucket=BUCKET, **named):
    return ObjectRegister(place_at(endpoint, key, bucket), "sales", "default", read_only=False, **named)


CONFLICT = (409, b"<Error><Code>ConditionalRequestConflict</Code></Error>")


@pytest.mark.parametrize("spoil", ["500 after", "cut after", "cut before", "503 before", CONFLICT])
def test_a_commit_comes_out_true_whatever_becomes_of_the_answer(opened, spoiled, spoil):
    store = opened()
    spoiled.spoils.append(spoil)
    lease = store.acquire(ALICE)
    for serial in range(4):
        spoiled.spoils.append(spoil)
        assert store.commit(lease, serial, [put(number=serial), note(), put_result(f"{serial}")]) == serial + 1
    spoiled.spoils.append(spoil)
    store.renew(lease)
    spoiled.spoils.append(spoil)
    store.release(lease)
    reader = opened(straight=True, read_only=True)
    assert (reader.read().serial, reader.holding()) == (4, None)
    told = list(reader.history())
    assert [entry.serial for entry in told] == [4, 3, 2, 1]
    assert follow(told, reader.read().lineage).broken is None
    assert reader.result(ref("3")) == "3"


def test_of_two_holders_whose_answers_are_lost_one_writes(opened, spoiled):
    store, other = opened(), opened(straight=True)
    lease = store.acquire(ALICE)
    other.force_release(lease.epoch, BOB)
    spoiled.spoils.extend(["500 after", "cut before"])
    with pytest.raises(LostLeaseError, match="bob on desk"):
        store.commit(lease, 0, [put()])
    assert other.commit(other.acquire(BOB), 0, [put()]) == 1


def test_the_pieces_come_through_a_server_that_stumbles(opened, spoiled):
    store = opened()
    lease = store.acquire(ALICE)
    stumbles = iter([True, False] * 100)

    def stumble(method, path):
        return (503, b"<Error><Code>SlowDown</Code></Error>") if "/pieces/" in path and next(stumbles) else None

    spoiled.deny = stumble
    store.commit(lease, 0, [put_result("text" * 50_000), put(EXTRACT)])
    assert opened().result(ref("text" * 50_000)) == "text" * 50_000


def test_a_result_whose_piece_was_cut_is_told(opened, spoiled, key):
    store, text = opened(straight=True), "text" * 50_000
    store.commit(store.acquire(ALICE), 0, [put(), put_result(text)])
    register = register_at(spoiled.endpoint, key)
    (piece, _), *_ = register.pieces()
    register.put(piece, b"")
    with pytest.raises(StateError, match="changed or is damaged") as caught:
        opened(straight=True, read_only=True).result(ref(text))
    assert "backup" in caught.value.hint


def test_a_server_that_says_nothing_is_not_waited_for_as_if_much_were_on_its_way(spoiled, key, monkeypatch):
    monkeypatch.setattr(driver, "_SWAP", timedelta(seconds=0.5))
    monkeypatch.setattr(driver, "_TRANSFER", timedelta(hours=1))
    register = register_at(spoiled.endpoint, key)
    spoiled.answers.clear()
    for ask in (
        register.load,
        lambda: register.put("p", b"x"),
        lambda: register.get("p", 0, 1),
        lambda: [*register.pieces()],
    ):
        with pytest.raises(AwayError, match="no usable answer"):
            ask()


def test_a_server_that_makes_unconditional_writes_is_refused(opened, spoiled):
    spoiled.strip = True
    with pytest.raises(StateError, match="makes no conditional writes") as caught:
        opened().acquire(ALICE)
    assert "PostgreSQL" in caught.value.hint
    assert opened(straight=True, read_only=True).read().lineage == ""


def test_a_reader_writes_nothing_and_needs_no_more_than_to_read(opened, spoiled):
    store = opened(straight=True)
    store.commit(store.acquire(ALICE), 0, [put(), put_result("text"), note()])
    reader = opened(read_only=True)
    reader.read()
    reader.digest()
    list(reader.history())
    assert reader.result(ref("text")) == "text"
    assert reader.holding().holder == ALICE
    assert {method for method, _, _ in spoiled.asked} == {"GET"}


def test_who_may_read_only_is_told_who_has_the_lock(opened, spoiled):
    opened(straight=True).acquire(ALICE)
    spoiled.deny = lambda method, path: (403, b"<Error><Code>AccessDenied</Code></Error>") if method == "PUT" else None
    with pytest.raises(LockHeldError, match="alice on laptop"):
        opened().acquire(BOB)


def test_no_lease_is_taken_by_our_own_clock_where_that_of_the_server_cannot_be_seen(opened, spoiled, monkeypatch):
    opened(straight=True).acquire(ALICE)
    ahead = SimpleNamespace(time=lambda: time.time() + 3600.0, monotonic=time.monotonic)
    monkeypatch.setattr("taskspec.state.objects.driver.time", ahead)
    failures = [(503, b"<Error><Code>SlowDown</Code></Error>")] * 5  # as often as one request is made
    spoiled.deny = lambda method, path: (
        failures.pop() if failures and (method, path[-6:]) == ("PUT", "/probe") else None
    )
    with pytest.raises(AwayError):
        opened().acquire(BOB)
    assert not failures
    with pytest.raises(LockHeldError, match="alice on laptop"):
        opened().acquire(BOB)


def test_what_a_commit_asks_for_does_not_depend_on_what_is_kept(opened, spoiled):
    store = opened()
    lease = store.acquire(ALICE)
    spoiled.asked.clear()
    store.commit(lease, 0, [put(), note()])
    assert [(method, path.rpartition("/")[2]) for method, path, _ in spoiled.asked] == [("PUT", "state.json")]


def test_who_takes_a_free_lease_looks_at_the_page_once(opened, spoiled):
    first = opened()
    first.release(first.acquire(ALICE))
    second = opened()
    spoiled.asked.clear()
    second.acquire(BOB)
    assert [method for method, path, _ in spoiled.asked if path.endswith("/state.json")] == ["GET", "PUT"]


def test_a_register_holds_one_text_and_replaces_exactly_that(key):
    registers = [register_at(server("s3").endpoint, key) for _ in range(2)]
    assert registers[0].load() is None
    made = registers[0].swap(b"one", None, number=1, lock=None)
    with pytest.raises(ConflictError):
        registers[1].swap(b"two", None, number=1, lock=None)
    found = registers[1].load()
    assert (found.content, found.tag) == (b"one", made.tag)
    assert -2 < found.written - registers[1].now() < 3
    registers[1].swap(b"two", found, number=2, lock=None)
    with pytest.raises(ConflictError):
        registers[0].swap(b"three", made, number=2, lock=None)
    assert registers[0].load().content == b"two"
    registers[0].put("x", b"piece")
    assert [name for name, _ in registers[1].pieces()] == ["x"]
    assert (registers[1].get("x"), registers[1].get("x", 1, 3), registers[1].get("x", 9, 0)) == (b"piece", b"iec", b"")
    registers[1].drop(["x", "y"])
    registers[1].drop([])
    with pytest.raises(KeyError):
        registers[0].get("x")
    assert registers[0].place == f"s3://{BUCKET}/{key}?endpoint={server('s3').endpoint} (state `sales`)"


def test_many_registers_swap_one_after_the_other(key):
    make = register_at(server("s3").endpoint, key)
    make.swap(b"0", None, number=1, lock=None)

    def count():
        register, done = register_at(server("s3").endpoint, key), 0
        while done < 10:
            before = register.load()
            number = int(before.content) + 1
            try:
                register.swap(str(number).encode(), before, number=number, lock=None)
                done += 1
            except ConflictError:
                continue

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert make.load().content == b"40"


@pytest.mark.parametrize(
    ("answer", "words", "hint"),
    [
        ((404, b"<Error><Code>NoSuchBucket</Code></Error>"), "there is no bucket states", "Make the bucket"),
        (
            (403, b"<Error><Code>AccessDenied</Code></Error>"),
            r"denies access to bucket states \(AccessDenied\)",
            "Check",
        ),
        ((401, b""), "denies access to bucket states", "Check the credentials"),
        ((301, b"<Error><Code>PermanentRedirect</Code></Error>"), "is in another region", "AWS_REGION"),
        ((400, b"<Error><Code>AuthorizationHeaderMalformed</Code></Error>"), "is in another region", "AWS_REGION"),
        ((400, b"<Error><Code>InvalidRequest</Code></Error>"), "cannot be used", "Check the place"),
    ],
)
def test_what_is_wrong_with_a_place_is_said_in_words(opened, spoiled, answer, words, hint):
    spoiled.deny = lambda method, path: answer
    store = opened()
    for asked in (store.read, store.digest, lambda: opened().acquire(ALICE)):
        with pytest.raises(StateError, match=words) as caught:
            asked()
        assert hint in caught.value.hint
        assert caught.value.message.startswith(f"The state at s3://{BUCKET}/")


def test_a_definite_no_to_a_commit_is_no_unknown_outcome(opened, spoiled):
    store = opened()
    lease = store.acquire(ALICE)
    spoiled.spoils.append((403, b"<Error><Code>AccessDenied</Code></Error>"))
    with pytest.raises(StateError, match="denies access") as caught:
        store.commit(lease, 0, [put()])
    assert type(caught.value) is StateError
    assert store.commit(lease, 0, [put()]) == 1


def test_a_bucket_that_is_not_there_and_a_server_that_does_not_answer_are_named(tmp_path, key):
    with pytest.raises(StateError, match="there is no bucket nowhere"):
        open_at(place_at(server("s3").endpoint, key, "nowhere"), tmp_path).read()
    with pytest.raises(AwayError, match="nobody answers"):
        open_at(place_at("http://127.0.0.1:1", key), tmp_path).read()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("endpoint=http://s3.example.com", "would be sent over http://"),
        ("frog=1", "has a parameter that object stores do not know"),
        ("conditional_put=frog", "cannot be used"),
        ("endpoint=http://127.0.0.1:frog", "is no URL"),
        ("endpoint=frog", "is no URL"),
        ("endpoint=http://ann:canary@127.0.0.1:1", "holds a user's name or a password"),
    ],
)
def test_a_place_that_object_stores_cannot_be_at_is_refused(tmp_path, query, words):
    with pytest.raises(StateError, match=words) as caught:
        open_at(f"s3://states/x?{query}", tmp_path).read()
    assert caught.value.hint
    assert "canary" not in str(caught.value)


def test_an_endpoint_of_the_environment_is_looked_at_too():
    with pytest.raises(StateError, match="in AWS_ENDPOINT_URL, holds a user's name") as caught:
        register_at("https://s3.example.com", environ={"AWS_ENDPOINT_URL": "https://ann:canary@s3.example.com"})
    assert "canary" not in str(caught.value)


def test_missing_credentials_are_told_from_the_words_of_the_library():
    error = OSError("Error performing PUT http://169.254.169.254/latest/api/token in 1ms - status code: 403 Forbidden")
    assert "there are no credentials" in trouble(answer_of(error), "s3://x/y", "x").message
    untrusted = OSError("kind: Connect, InvalidCertificate(UnknownIssuer)")
    assert "is not trusted" in trouble(answer_of(untrusted), "s3://x/y", "x").message
    assert len(trouble(answer_of(OSError("x" * 9999)), "s3://x/y", "x").message) < 500


@pytest.mark.parametrize("path", ["redirects/state.json", "states/redirect/default/state.json"])
def test_what_a_place_is_called_says_nothing_of_an_answer(path):
    failed = "Server returned non-2xx status code: 503 Service Unavailable: "
    answer = answer_of(OSError(f"Generic S3 error: Error performing PUT http://127.0.0.1:9/{path} in 1ms - {failed}"))
    assert answer.is_uncertain
    assert isinstance(trouble(answer, "s3://x/y", "x"), AwayError)


def test_the_name_of_the_project_tells_states_apart_unless_the_place_names_another(key, tmp_path):
    place = server("s3").place(key)
    first, second = open_at(place, tmp_path), open_at(place, tmp_path, project="tales")
    first.acquire(ALICE)
    second.acquire(BOB)
    assert first.read().lineage != second.read().lineage
    assert open_at(f"{place}&name=sales", tmp_path, project="tales").read().lineage == first.read().lineage
    for store in (first, second):
        store.close()
