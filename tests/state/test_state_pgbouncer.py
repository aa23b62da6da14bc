"""A state in PostgreSQL behind a pooler in transaction mode, which gives each transaction any session that is free."""

import os
import signal
import uuid
from pathlib import Path

import pgbouncer
import pytest
from certificates import certificate
from patience import until
from pgbouncer import Pgbouncer
from postgres_server import PASSWORD
from state_servers import open_at, server
from state_stores import child
from state_values import ALICE, BOB, note, put
from test_state_conformance import *  # noqa: F403  # the whole suite, once more

from taskspec.errors import LockHeldError, StateError

pytestmark = pytest.mark.skipif(
    pgbouncer.PROGRAM is None and not (os.environ.get("NO_SKIPS") and Path("/etc/debian_version").exists()),
    reason="pgbouncer is not installed (Debian: apt-get install pgbouncer)",
)


@pytest.fixture(scope="module")
def database():
    return server("postgres")


@pytest.fixture(scope="module")
def pooler(database):
    pooler = Pgbouncer(database)
    yield pooler
    pooler.close()


@pytest.fixture
def kind():
    return "postgres"


@pytest.fixture
def key():
    return uuid.uuid4().hex


@pytest.fixture
def place(pooler, key):
    return pooler.place(key)


def test_what_every_store_promises_is_promised_by_two_sessions_that_all_share(pooler, place, database):
    """The suite above ran on sessions that are handed on after every transaction."""
    stores = [open_at(place, None, environment=f"e{number}") for number in range(8)]
    leases = [store.acquire(ALICE) for store in stores]
    for serial in range(5):
        for store, lease in zip(stores, leases, strict=True):
            store.renew(lease)
            assert store.commit(lease, serial, [put(), note()]) == serial + 1
    question = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    assert database.execute(question)[0][0] <= 2
    for store in stores:
        store.close()


def test_a_killed_holder_leaves_nothing_behind_in_a_session_that_others_get(place):
    body = """
lease = store.acquire(ALICE)
print(lease.epoch, flush=True)
serial = 0
while True:
    serial = store.commit(lease, serial, [put(), note()])
"""
    holder = child(place, None, body, ttl=1.0)
    assert holder.stdout.readline() == "1\n"
    other = open_at(place, None)
    with pytest.raises(LockHeldError, match="alice on laptop"):
        other.acquire(BOB)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    until(lambda: other.holding() is None)
    lease = other.acquire(BOB)
    serial = other.read().serial
    assert other.commit(lease, serial, [note()]) == serial + 1
    other.close()


def test_a_holder_that_stood_still_for_longer_than_its_lease_writes_nothing_more(place):
    body = """
lease = store.acquire(ALICE)
print("begun", flush=True)
sys.stdin.readline()
try:
    store.commit(lease, 0, [put()])
except LostLeaseError as error:
    print(error.message)
"""
    holder = child(place, None, body, ttl=0.5)
    assert holder.stdout.readline() == "begun\n"
    holder.send_signal(signal.SIGSTOP)
    other = open_at(place, None)
    until(lambda: other.holding() is None)
    lease = other.acquire(BOB)
    holder.send_signal(signal.SIGCONT)
    told, trouble = holder.communicate("go\n")
    assert trouble == ""
    assert "bob on desk took it over" in told
    assert other.read().serial == 0
    assert other.commit(lease, 0, [put()]) == 1
    other.close()


def test_a_crash_of_the_server_behind_the_pooler_is_survived(place, database):
    store = open_at(place, None)
    lease = store.acquire(ALICE)
    assert store.commit(lease, 0, [put(), note()]) == 1
    database.stop("immediate")
    database.start()
    assert store.commit(lease, 1, [put(), note()]) == 2
    assert len(list(store.history())) == 2
    store.close()


def test_a_parameter_that_the_pooler_does_not_take_is_told(pooler, key):
    store = open_at(pooler.place(key, "sslmode=disable&options=-cstatement_timeout%3D1000"), None)
    with pytest.raises(StateError, match="a pooler that does not take a parameter") as caught:
        store.read()
    assert "ignore_startup_parameters" in caught.value.hint
    assert PASSWORD not in caught.value.message


def test_a_user_that_the_pooler_does_not_know_is_told(pooler, key):
    store = open_at(pooler.place(key).replace("://postgres:", "://nobody:"), None)
    with pytest.raises(StateError, match="does not let this user in"):
        store.read()


@pytest.fixture(scope="module")
def secure(database):
    """A pooler that speaks TLS alone, with a certificate for `localhost`."""
    pooler = Pgbouncer(database, certificate=certificate("localhost"))
    yield pooler
    pooler.close()


@pytest.fixture
def tls(secure, key, tmp_path):
    """Open a store over TLS, with the certificate of an authority."""
    stores = []

    def open_store(authority, host="localhost"):
        root = tmp_path / f"authority-{len(stores)}.pem"
        root.write_bytes(authority)
        stores.append(open_at(secure.place(key, f"sslmode=verify-full&sslrootcert={root}", host), None))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


def test_a_server_whose_certificate_is_right_is_spoken_to_over_tls(secure, tls):
    store = tls(secure.certificate.authority)
    lease = store.acquire(ALICE)
    connection = store._link._connection
    for serial in range(3):
        assert store.commit(lease, serial, [put(), note()]) == serial + 1
    assert store.read().serial == 3
    assert store._link._connection is connection


def test_a_server_whose_certificate_is_wrong_is_told_nothing(secure, tls, key):
    for store in (tls(certificate("localhost").authority), tls(secure.certificate.authority, host="127.0.0.1")):
        with pytest.raises(StateError, match="does not prove to be the right server") as caught:
            store.read()
        assert "sslrootcert" in caught.value.hint
    plain = open_at(secure.place(key), None)
    with pytest.raises(StateError, match="TLS"):
        plain.read()
