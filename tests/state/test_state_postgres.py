"""What is special of a state in PostgreSQL: lost connections, crashes, rights, migrations, and its words."""

import signal
import threading
import uuid
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest
from cutting_proxy import ANSWER, REQUEST, CuttingProxy
from patience import PATIENCE, until
from postgres_server import PASSWORD
from state_servers import open_at, server
from state_stores import child
from state_values import ALICE, BOB, EXTRACT, REPORT, document_of, note, put, put_result, record, ref

from taskspec.address import Address
from taskspec.errors import LockHeldError, LostLeaseError, StaleError, StateError, UnknownCommitError
from taskspec.state.chaining import follow
from taskspec.state.encoding import FORMAT
from taskspec.state.model import DropRecord
from taskspec.state.postgres import changing, reading, schema
from taskspec.state.postgres.schema import creation
from taskspec.state.postgres.store import PostgresState


@pytest.fixture(scope="module")
def database():
    return server("postgres")


@pytest.fixture
def kind():
    return "postgres"


@pytest.fixture
def key():
    return uuid.uuid4().hex


@pytest.fixture
def place(database, key):
    return database.place(key)


@pytest.fixture
def proxy(database):
    with CuttingProxy(database.port) as proxy:
        yield proxy


@pytest.fixture
def patient(database, key, proxy):
    """Open stores that reach the server through the proxy, and wait for it for some seconds."""
    stores = []

    def open_store(*, patience=20.0, answer=60.0, ttl=60.0, environment="default"):
        place = f"{database.tcp_place(key, port=proxy.port)}&connect_timeout=2"
        made = PostgresState(
            *(place,),
            name="team",
            project="sales",
            environment=environment,
            read_only=False,
            ttl=ttl,
            patience=patience,
            answer=answer,
        )
        stores.append(made)
        return made

    yield open_store
    for store in stores:
        store.close()


@pytest.fixture
def reached():
    """Open stores at any place; they are closed in the end."""
    stores = []

    def open_store(place, **options):
        stores.append(open_at(place, None, **options))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


def refusal(caught):
    assert type(caught.value) is StateError
    assert caught.value.hint
    assert "\n" not in caught.value.message
    assert PASSWORD not in caught.value.message + caught.value.hint
    return caught.value.message


@contextmanager
def rows_locked(database, key):
    """Hold the rows of all states of a schema, so that whoever writes one waits."""
    with psycopg.connect(database.url()) as connection:
        connection.execute(f"SELECT 1 FROM s{key}.states FOR UPDATE")
        yield connection
        connection.rollback()


def waiting(database, number):
    question = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'taskspec'"
    return database.execute(question)[0][0] == number


# --- answers that are cut


@pytest.mark.parametrize(("direction", "points"), [(REQUEST, range(0, 4000, 97)), (ANSWER, range(0, 120, 4))])
def test_a_commit_whose_connection_is_cut_anywhere_takes_effect_once(patient, proxy, direction, points):
    store = patient()
    lease = store.acquire(ALICE)
    serial = 0
    for after in points:
        proxy.cut_after(direction, after)
        assert store.commit(lease, serial, [put(number=serial + 1), note(at=float(serial))]) == serial + 1
        serial += 1
    assert proxy.cuts > 10
    assert store.read().records == {EXTRACT: record(number=serial)}
    assert [entry.note.at for entry in store.history()] == [float(number) for number in reversed(range(serial))]
    assert follow(store.history(), store.read().lineage).broken is None


def test_everything_else_goes_on_over_a_connection_that_is_cut(patient, proxy):
    def cut(act):
        for direction, after in [(ANSWER, 0), (ANSWER, 40), (REQUEST, 30)]:
            proxy.cut_after(direction, after)
            found = act()
        return found

    store = patient()
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put(), note(), put_result("kept")])
    cut(lambda: store.renew(lease))
    assert cut(store.read).records.keys() == {EXTRACT}
    assert cut(store.digest)[0] == 1
    assert cut(store.holding).holder == ALICE
    assert len(cut(lambda: list(store.history()))) == 1
    assert cut(lambda: list(store.results())) == [(ref("kept").digest, "kept")]
    assert cut(lambda: store.result(ref("kept"))) == "kept"
    document = document_of(store)
    for serial in range(1, 4):
        proxy.cut_after(ANSWER, 100 * serial)
        assert store.replace(lease, serial, replace(document, serial=serial + 1)) == serial + 1
    assert document_of(store) == replace(document, serial=4)
    proxy.cut_after(ANSWER, 0)
    store.release(lease)
    assert store.holding() is None
    assert proxy.cuts == 25


@pytest.mark.parametrize("after", [0, 100, 500, 800, 1100])
def test_a_lease_whose_answer_is_cut_is_taken_once(patient, proxy, after):
    store = patient()
    store.release(store.acquire(ALICE))
    epoch = store.acquire(ALICE).epoch
    store.close()
    proxy.cut_after(ANSWER, after)
    lease = store.acquire(ALICE)
    assert lease.epoch == epoch + 1
    assert store.commit(lease, 0, [put()]) == 1


def test_a_lock_that_is_taken_away_over_a_cut_connection_is_taken_away_once(patient, proxy):
    store, other = patient(), patient()
    lease = store.acquire(ALICE)
    for after in (0, 250, 280):
        proxy.cut_after(ANSWER, after)
        other.force_release(lease.epoch, BOB)
        assert other.holding() is None
        lease = store.acquire(ALICE)
    assert lease.epoch == 7


def test_a_statement_that_still_runs_on_a_connection_that_was_cut_takes_effect_once(patient, proxy, database, key):
    store = patient()
    lease = store.acquire(ALICE)
    serials = []
    for number in range(3):
        with rows_locked(database, key):
            writer = threading.Thread(
                target=lambda: serials.append(store.commit(lease, number, [put(number=number + 1), note()]))  # noqa: B023
            )
            writer.start()
            until(lambda: waiting(database, 1))
            proxy.orphan()
            until(lambda: waiting(database, 2))
        writer.join()
        until(lambda: waiting(database, 0))
    assert serials == [1, 2, 3]
    assert len(list(store.history())) == 3


def test_a_statement_that_still_runs_writes_nothing_after_the_lock_was_taken_away(patient, proxy, database, key):
    store, other = patient(patience=0.0), patient()
    lease = store.acquire(ALICE)
    failures = []

    def write():
        try:
            store.commit(lease, 0, [put(), note()])
        except StateError as error:
            failures.append(error)

    with rows_locked(database, key):
        writer = threading.Thread(target=write)
        writer.start()
        until(lambda: waiting(database, 1))
        taker = threading.Thread(target=lambda: other.force_release(lease.epoch, BOB))
        proxy.orphan()
        writer.join()
        taker.start()
        until(lambda: waiting(database, 2))
    taker.join()
    until(lambda: waiting(database, 0))
    assert [type(failure) for failure in failures] == [UnknownCommitError]
    # whoever asked first was served first: the commit is there whole, or not at all, and the lock is gone
    snapshot = other.read()
    assert (snapshot.serial, len(snapshot.records), len(list(other.history()))) in {(0, 0, 0), (1, 1, 1)}
    assert other.holding() is None
    with pytest.raises(LostLeaseError, match="bob on desk took it over"):
        store.commit(lease, snapshot.serial, [put()])


def test_a_commit_that_happened_is_found_although_the_lock_was_lost_and_others_wrote_since(
    patient, proxy, database, key, reached
):
    store = patient(ttl=0.05)
    lease = store.acquire(ALICE)
    served = threading.Event()

    def overtake():
        """Let somebody else write as soon as the answer of the commit is lost, and before it is asked for."""
        other = reached(database.place(key))
        until(lambda: other.read().serial == 1 and other.holding() is None)
        other.commit(other.acquire(BOB), 1, [note(REPORT)])
        other.close()
        served.set()

    proxy.cut_after(ANSWER, 0, then=overtake)
    assert store.commit(lease, 0, [put(), note()]) == 1
    assert served.is_set()
    with pytest.raises(LostLeaseError, match="bob on desk took it over"):
        store.commit(lease, 1, [note()])
    assert [entry.note.address for entry in store.history()] == [REPORT, EXTRACT]


def test_a_commit_of_which_nobody_can_tell_is_told_as_such(patient, proxy, database, key, reached):
    store = patient(ttl=0.05)
    lease = store.acquire(ALICE)

    def overtake():
        other = reached(database.place(key))
        until(lambda: other.read().serial == 1 and other.holding() is None)
        other.commit(other.acquire(BOB), 1, [put(REPORT)])
        other.close()

    proxy.cut_after(ANSWER, 0, then=overtake)
    with pytest.raises(UnknownCommitError, match="Nobody can tell"):
        store.commit(lease, 0, [put()])


def test_after_a_commit_of_unknown_outcome_the_store_goes_on_from_what_is_there(patient, proxy):
    store = patient(patience=0.0)
    lease = store.acquire(ALICE)
    proxy.cut_after(ANSWER, 0)
    with pytest.raises(UnknownCommitError, match="Nobody can tell"):
        store.commit(lease, 0, [note()])
    until(lambda: store.read().serial == 1)
    with pytest.raises(StaleError):
        store.commit(lease, 0, [note()])
    assert store.commit(lease, 1, [note()]) == 2
    assert follow(store.history(), store.read().lineage).broken is None


def test_a_server_that_does_not_answer_is_left(patient, proxy):
    store = patient(patience=0.2, answer=0.2)
    lease = store.acquire(ALICE)
    with proxy.silent():
        with pytest.raises(UnknownCommitError, match="cannot be reached"):
            store.commit(lease, 0, [put()])
        with pytest.raises(StateError, match="cannot be reached"):
            store.read()


# --- a server that crashes, or is gone


def test_a_crash_of_the_server_loses_nothing_that_was_acknowledged(database, place, reached):
    body = f"""
store._link._patience = {PATIENCE}  # a busy machine may take its time to start the server again
lease = store.acquire(ALICE)
serial = 0
print("begun", flush=True)
while True:
    serial = store.commit(lease, serial, [put(number=serial + 1), note(at=float(serial))])
    print(serial, flush=True)
"""
    writer = child(place, None, body)
    try:
        assert writer.stdout.readline() == "begun\n"
        last = 0
        for _ in range(3):
            last = max(last, *(int(writer.stdout.readline()) for _ in range(20)))
            database.stop("immediate")
            database.start()
        last = max(last, *(int(writer.stdout.readline()) for _ in range(100)))
    finally:
        writer.send_signal(signal.SIGKILL)
        with writer:
            rest, trouble = writer.stdout.read(), writer.stderr.read()  # with what stands in the buffer already
    assert trouble == ""
    last = max([last, *(int(line) for line in rest.splitlines(keepends=True) if line.endswith("\n"))])
    store = reached(place)
    snapshot = store.read()
    assert last <= snapshot.serial <= last + 1
    assert snapshot.records == {EXTRACT: record(number=snapshot.serial)}
    assert [entry.note.at for entry in store.history()] == [float(n) for n in reversed(range(snapshot.serial))]
    store.close()


def test_what_was_acknowledged_is_durable_also_where_the_server_is_set_to_wait_for_no_disk(database, key, reached):
    role = f"hasty_{key}"
    database.execute(
        f"CREATE ROLE {role} LOGIN SUPERUSER",
        f"ALTER ROLE {role} SET synchronous_commit = off",
        f"ALTER ROLE {role} SET default_transaction_isolation = serializable",
    )
    place = f"{database.url(user=role)}&schema=s{key}"
    for serial in range(3):
        store = reached(place)
        lease = store.acquire(ALICE)
        assert store.commit(lease, serial, [note()]) == serial + 1
        database.stop("immediate")
        database.start()
        store.close()
        assert store.read().serial == serial + 1
        store.close()


def test_a_server_that_is_gone_for_good_is_told_in_words(patient, proxy):
    store = patient(patience=0.3)
    lease = store.acquire(ALICE)
    with proxy.closed():
        for act in (store.read, lambda: store.renew(lease), lambda: store.commit(lease, 0, [put()]), store.holding):
            with pytest.raises(StateError) as caught:
                act()
            assert "is just starting or stopping" in refusal(caught)
        store.release(lease)
        store.close()


def test_a_server_that_was_never_there_is_not_waited_for(database, key, reached):
    store = reached(database.tcp_place(key, port=1))
    with pytest.raises(StateError) as caught:
        store.read()
    assert "cannot be reached" in refusal(caught)
    assert "for 20 s" not in caught.value.message


# --- words


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://postgres:wrong-password@127.0.0.1:{port}/postgres", "does not let this user in"),
        ("postgresql://nobody:hunter2-of-the-tests@127.0.0.1:{port}/postgres", "does not let this user in"),
        ("postgresql://postgres:hunter2-of-the-tests@127.0.0.1:{port}/nowhere", "is not there"),
        ("postgresql://postgres@127.0.0.1:{port}/postgres?password=wrong-password", "does not let this user in"),
        ("postgresql://postgres:hunter2-of-the-tests@127.0.0.1:{port}/postgres?sslmode=require", "over TLS"),
        ("postgresql://postgres:hunter2-of-the-tests@nowhere.invalid/postgres", "host that is not known"),
        ("postgresql:///postgres?host=/nowhere", "cannot be reached"),
    ],
)
def test_what_keeps_from_connecting_is_told_without_a_password(database, url, words, reached):
    store = reached(url.format(port=database.port))
    with pytest.raises(StateError) as caught:
        store.read()
    assert words in refusal(caught)
    assert "wrong-password" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://u:p%zz-secret@h/d", "is no URL"),
        ("postgresql://u@h/d?no_such_parameter=1", 'is no URL.*"no_such_parameter"'),
        ("postgresql://u@h/d?schema=a&schema=b", "must give `schema` once"),
        ("postgresql://u@h/d?schema=", "must give `schema` once"),
        (f"postgresql://u@h/d?schema={'x' * 64}", "must give `schema` once"),
    ],
)
def test_a_url_that_means_nothing_is_refused_at_once(url, words, reached):
    with pytest.raises(StateError, match=words) as caught:
        reached(url)
    assert "p%zz-secret" not in refusal(caught)


def test_a_password_is_in_no_text_of_a_store(database, key, reached):
    store = reached(database.tcp_place(key))
    assert PASSWORD not in repr(vars(store)) + store.capabilities.place
    assert "postgres:***@127.0.0.1" in store.capabilities.place
    assert store.capabilities.place.endswith(" (state `sales`)")


@pytest.mark.parametrize(
    ("rest", "mode"),
    [
        ("u@db.example.com/d", "prefer"),
        ("u@db.example.com/d?sslmode=require", "require"),
        ("u@127.0.0.1,db.example.com/d?sslmode=disable", "disable"),
        ("u@db.example.com/d?sslmode=verify-full", None),
        ("u@db.example.com/d?service=team", None),
        ("u@localhost/d", None),
        ("/d?host=/run/postgresql", None),
        ("/d", None),
    ],
)
def test_a_way_that_somebody_could_be_on_is_told(rest, mode, reached):
    notice = reached(f"postgresql://{rest}").capabilities.notice
    assert f"`sslmode` is `{mode}`" in notice if mode else not notice


def test_a_standby_is_told_as_such(database, key, reached):
    role = f"reader_{key}"
    database.execute(f"CREATE ROLE {role} LOGIN", f"ALTER ROLE {role} SET default_transaction_read_only = on")
    reached(database.place(key)).acquire(ALICE)
    database.execute(f"GRANT USAGE ON SCHEMA s{key} TO {role}", f"GRANT ALL ON ALL TABLES IN SCHEMA s{key} TO {role}")
    store = reached(f"{database.url(user=role)}&schema=s{key}&name=team", environment="prod")
    assert store.read().lineage == ""
    store = reached(f"{database.url(user=role)}&schema=s{key}&name=team")
    with pytest.raises(StateError) as caught:
        store.force_release(1, BOB)
    assert "only answers reads" in refusal(caught)


# --- rights


def test_a_role_that_owns_nothing_can_do_everything_once_the_tables_are_there(database, key, reached):
    owner, runner = f"owner_{key}", f"runner_{key}"
    place = f"s{key}"
    database.execute(f"CREATE ROLE {owner} LOGIN", f"CREATE ROLE {runner} LOGIN")
    url = f"{database.url(user=runner)}&schema={place}"
    store = reached(url)
    assert store.read().lineage == ""
    with pytest.raises(StateError) as caught:
        store.acquire(ALICE)
    assert "lacks tables of today's form, and this role may not make them" in refusal(caught)
    assert f'CREATE SCHEMA "{place}" AUTHORIZATION ROLE' in caught.value.hint

    database.execute(f'CREATE SCHEMA "{place}" AUTHORIZATION {owner}')
    with pytest.raises(StateError) as caught:
        store.acquire(ALICE)
    refusal(caught)
    database.execute(f"SET ROLE {owner}", creation(place))
    with pytest.raises(StateError) as caught:
        store.read()
    assert "does not allow this role" in refusal(caught)
    database.execute(
        f"SET ROLE {owner}",
        f'GRANT USAGE ON SCHEMA "{place}" TO {runner}',
        f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "{place}" TO {runner}',
    )
    lease = store.acquire(ALICE)
    store.renew(lease)
    changes = [put(Address(f"task-{number}"), number=1) for number in range(changing.MOST + 1)]
    store.commit(lease, 0, [*changes, note(), put_result("kept")])
    store.commit(lease, 1, [DropRecord(address=Address("task-0")), put(), note()])
    store.replace(lease, 2, replace(document_of(store), serial=3))
    store.release(lease)
    store.force_release(lease.epoch, BOB)
    assert len(store.read().records) == changing.MOST + 1
    store.close()


def test_a_role_that_owns_the_schema_makes_the_tables_by_itself(database, key, reached):
    runner = f"runner_{key}"
    database.execute(f"CREATE ROLE {runner} LOGIN", f'CREATE SCHEMA "s{key}" AUTHORIZATION {runner}')
    store = reached(f"{database.url(user=runner)}&schema=s{key}")
    assert store.commit(store.acquire(ALICE), 0, [put()]) == 1
    store.close()


# --- tables and their form


def test_reading_makes_no_table(database, key, opened):
    reader = opened(read_only=True)
    assert (reader.read().lineage, reader.digest(), reader.head()) == ("", (0, ""), "")
    assert database.execute(f"SELECT to_regnamespace('s{key}')") == [(None,)]


def test_two_first_writers_at_once_make_one_set_of_tables(place):
    body = """
sys.stdin.readline()
try:
    store.acquire(ALICE)
    print("acquired")
except LockHeldError:
    print("held")
"""
    writers = [child(place, None, body) for _ in range(4)]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    told = [writer.communicate() for writer in writers]
    assert [trouble for _, trouble in told] == [""] * 4
    # a process that ends leaves its lease to end by itself
    assert sorted(answer for answer, _ in told) == ["acquired\n"] + ["held\n"] * 3


def test_tables_of_an_older_form_are_brought_to_that_of_today_by_the_next_writer(database, key, opened, monkeypatch):
    old = opened()
    old.commit(old.acquire(ALICE), 0, [put(), note()])
    old.close()
    step = "CREATE TABLE {schema}.extra (one integer)"
    monkeypatch.setattr(schema, "_STEPS", (*schema._STEPS, step))
    store = opened()
    with pytest.raises(StateError, match="are of form 1, which an older taskspec made"):
        store.read()
    lease = store.acquire(BOB)
    assert store.commit(lease, 1, [note()]) == 2
    assert store.read().records.keys() == {EXTRACT}
    assert database.execute(f"SELECT number FROM s{key}.version") == [(2,)]
    assert database.execute(f"SELECT count(*) FROM s{key}.extra") == [(0,)]
    monkeypatch.undo()
    for act in (store.read, lambda: store.commit(lease, 2, [note()]), lambda: opened().acquire(ALICE)):
        with pytest.raises(StateError, match=r"made by a newer taskspec.*of form 2; this one knows up to 1"):
            act()


def test_a_migration_that_fails_leaves_everything_as_it_was(database, key, opened, monkeypatch):
    opened().acquire(ALICE)
    steps = ("CREATE TABLE {schema}.extra (one integer)", "CREATE TABLE {schema}.extra (one integer)")
    monkeypatch.setattr(schema, "_STEPS", (*schema._STEPS, *steps))
    with pytest.raises(StateError, match="could not be used"):
        opened().acquire(BOB)
    assert database.execute(f"SELECT number, to_regclass('s{key}.extra') FROM s{key}.version") == [(1, None)]


def test_a_state_of_a_newer_format_is_refused_and_one_of_an_older_format_is_upgraded(database, key, opened):
    store = opened()
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put(), put(REPORT)])
    store.release(lease)
    database.execute(f"UPDATE s{key}.states SET format = {FORMAT + 1}")
    for act in (store.read, lambda: store.acquire(ALICE)):
        with pytest.raises(StateError, match=f"made by a newer taskspec.*format {FORMAT + 1}"):
            act()
    database.execute(
        f"UPDATE s{key}.states SET format = 4",
        f"UPDATE s{key}.records SET record = ((record::jsonb #- '{{generation,inputs}}') "
        "- '{unsent,file}'::text[])::text",
    )
    assert store.read().records == {EXTRACT: record(EXTRACT), REPORT: record(REPORT)}
    assert database.execute(f"SELECT format FROM s{key}.states") == [(4,)]
    store.acquire(ALICE)
    assert database.execute(f"SELECT format FROM s{key}.states") == [(FORMAT,)]
    assert store.read().records == {EXTRACT: record(EXTRACT), REPORT: record(REPORT)}


def test_one_schema_keeps_many_states_apart(database, key, reached):
    place = f"{database.url()}&schema=s{key}"
    stores = [
        reached(place),
        reached(place, environment="prod"),
        reached(place, project="accounts"),
        reached(f"{place}&name=pinned"),
    ]
    for number, store in enumerate(stores, 1):
        store.commit(store.acquire(ALICE), 0, [put(number=number), note(at=float(number)), put_result(str(number))])
    assert len({store.read().lineage for store in stores}) == 4
    for number, store in enumerate(stores, 1):
        assert store.read().records == {EXTRACT: record(number=number)}
        assert [entry.note.at for entry in store.history()] == [float(number)]
        assert [content for _, content in store.results()] == [str(number)]
    stores[0].replace(stores[0]._held.lease, 1, replace(document_of(stores[1]), serial=5))
    assert stores[2].read().records == {EXTRACT: record(number=3)}
    again = reached(f"{place}&name=pinned", project="renamed", read_only=True)
    assert again.read() == stores[3].read()
    for store in [*stores, again]:
        store.close()


def test_a_state_that_is_deleted_is_gone_with_all_that_belongs_to_it(database, key, store):
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put(), note(), put_result("kept")])
    database.execute(f"DELETE FROM s{key}.states")
    with pytest.raises(LostLeaseError, match="deleted or restored"):
        store.commit(lease, 1, [put()])
    for table in ("records", "history", "results"):
        assert database.execute(f"SELECT count(*) FROM s{key}.{table}") == [(0,)]


def test_a_lease_does_not_outlive_a_restored_backup_that_gave_its_epoch_to_another(database, key, store, opened):
    lease = store.acquire(ALICE)
    database.execute(f"UPDATE s{key}.states SET epoch = epoch - 1, held = false")
    other = opened()
    assert other.acquire(BOB).epoch == lease.epoch
    for late in (lambda: store.commit(lease, 0, [put()]), lambda: store.renew(lease)):
        with pytest.raises(LostLeaseError):
            late()
    store.release(lease)
    assert other.holding().holder == BOB


def test_what_does_not_fit_together_is_found(database, key, store):
    assert store.faults() == []
    lease = store.acquire(ALICE)
    assert store.faults() == []
    store.commit(lease, 0, [note(), note(REPORT), put_result("kept")])
    assert store.faults() == []
    database.execute(f"DELETE FROM s{key}.history WHERE address = 'report'", f"UPDATE s{key}.results SET size = 3")
    assert store.faults() == [
        "the newest entry of its history is not the one that it names",
        f"the kept result {ref('kept').digest} is not as long as it was",
    ]


def test_a_record_that_was_damaged_is_named(database, key, store):
    store.commit(store.acquire(ALICE), 0, [put(), put(REPORT)])
    database.execute(f"UPDATE s{key}.records SET record = '{{}}' WHERE address = 'report'")
    with pytest.raises(StateError, match=r"postgresql://.* is damaged: the record of report is not readable"):
        store.read()


# --- leases


def test_a_lease_ends_by_itself_by_the_clock_of_the_server(opened):
    store, other = opened(ttl=0.5), opened(ttl=0.5)
    old = store.acquire(ALICE)
    with pytest.raises(LockHeldError):
        other.acquire(BOB)
    until(lambda: other.holding() is None)
    store.renew(old)
    assert other.holding().holder == ALICE
    until(lambda: other.holding() is None)
    assert store.commit(old, 0, [put()]) == 1
    assert other.holding().holder == ALICE
    until(lambda: other.holding() is None)
    new = other.acquire(BOB)
    with pytest.raises(LostLeaseError, match="bob on desk took it over"):
        store.commit(old, 1, [put()])
    assert other.commit(new, 1, [note()]) == 2


# --- large


def test_many_records_are_one_snapshot_although_somebody_writes_between_the_pages(opened, monkeypatch):
    store, other = opened(), opened()
    lease = other.acquire(ALICE)
    other.commit(lease, 0, [put(Address(f"task-{number:04}")) for number in range(2500)])
    really = reading.decoded
    serials = iter(range(1, 100))

    def decoded(*given):
        serial = next(serials)
        other.commit(lease, serial, [put(Address(f"task-9{serial}")), DropRecord(address=Address("task-0000"))])
        return really(*given)

    monkeypatch.setattr(reading, "decoded", decoded)
    found = store.read()
    assert (found.serial, len(found.records)) == (1, 2500)
    assert list(found.records) == [f"task-{number:04}" for number in range(2500)]
    only = [Address(f"task-{number:04}") for number in range(2400)]
    assert len(store.read(only=only).records) == 2399


def test_a_commit_larger_than_a_statement_is_all_or_nothing(store, opened, monkeypatch):
    lease = store.acquire(ALICE)
    many = [put(Address(f"task-{number}")) for number in range(3 * changing.MOST)]
    results = [put_result(f"{number}" * 5_000_000) for number in range(3)]
    store.commit(lease, 0, [*many, *results, *(note(at=float(number)) for number in range(2 * changing.MOST))])
    document = document_of(store)
    assert len(document.records) == 3 * changing.MOST
    assert len(document.results) == 3
    assert follow(document.history, document.lineage).broken is None
    opened().force_release(lease.epoch, BOB)
    with pytest.raises(LostLeaseError):
        store.commit(lease, 1, many)
    lease = store.acquire(ALICE)
    fill = changing.Piece.values
    monkeypatch.setattr(changing.Piece, "values", lambda piece: {**fill(piece), "sizes": ["none"] * len(piece.results)})
    with pytest.raises(StateError):
        store.commit(lease, 1, [DropRecord(address=Address("task-1")), *many[2:], put_result("late")])
    monkeypatch.undo()
    assert document_of(store) == document


def test_a_large_result_comes_back_as_it_was(store):
    content = "ö" * 12_000_000
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put_result(content), put_result("small"), put_result("x" * 10_000_000)])
    assert store.result(ref(content)) == content
    assert sorted(len(kept) for _, kept in store.results()) == [5, 10_000_000, 12_000_000]


def test_the_last_change_of_an_address_counts(store):
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put(REPORT)])
    gone = DropRecord(address=EXTRACT)
    store.commit(lease, 1, [put(), gone, put(number=2), gone, put(number=3), DropRecord(address=REPORT)])
    assert store.read().records == {EXTRACT: record(number=3)}
    store.commit(lease, 2, [put(), gone, put_result("twice"), put_result("twice")])
    assert store.read().records == {}


def test_an_address_that_no_table_can_hold_is_refused(store):
    lease = store.acquire(ALICE)
    for address in ("a\0b", "a\ud800"):
        with pytest.raises(StateError, match="cannot be kept"):
            store.commit(lease, 0, [note(Address(address))])
    assert store.commit(lease, 0, [note(what="nul \0 and \ud800")]) == 1
    assert next(store.history()).note.what == "nul \0 and \ud800"
