"""What is particular to the state in a folder: its files, and every way in which they can be wrong."""

import os
import shutil
import sqlite3
import stat
import subprocess
from pathlib import Path

import pytest
from patience import little_work
from state_values import ALICE, BOB, EXTRACT, drop_result, note, put, put_result, record, ref

from taskspec.address import Address
from taskspec.errors import LostLeaseError, StaleError, StateError
from taskspec.state import reading
from taskspec.state.chaining import follow
from taskspec.state.encoding import FORMAT
from taskspec.state.model import INLINE_LIMIT, DropRecord
from taskspec.state.sqlite import SqliteState

LARGE = "x" * (INLINE_LIMIT + 1)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "project" / ".taskspec"


@pytest.fixture
def store(folder):
    store = SqliteState(folder, "sales", "default", read_only=False)
    yield store
    store.close()


@pytest.fixture
def kept(store, folder):
    """A state with one record and one large result, closed; returns its file."""
    store.commit(store.acquire(ALICE), 0, [put(), note(), put_result(LARGE)])
    store.close()
    return folder / "default" / "state.db"


def refusal(folder, action="read"):
    store = SqliteState(folder, "sales", "default", read_only=False)
    try:
        with pytest.raises(StateError) as caught:
            store.read() if action == "read" else store.acquire(BOB)
    finally:
        store.close()
    assert type(caught.value) is StateError
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value.message


def edit(path, sql):
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(sql)
    connection.close()


def test_only_the_owner_may_read_the_state(kept, folder):
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".gitignore"]
    assert {path.name for path in files} >= {"state.db", "lock", ref(LARGE).digest}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}


def test_git_ignores_the_data_folder_by_itself(kept, folder):
    subprocess.run(["git", "init", "-q", folder.parent], check=True)
    status = subprocess.run(
        ["git", "-C", folder.parent, "status", "--porcelain"], check=True, capture_output=True, text=True
    )
    assert status.stdout == ""


def test_a_gitignore_of_ones_own_stays(folder, store):
    folder.mkdir(parents=True)
    (folder / ".gitignore").write_text("lock\n")
    store.acquire(ALICE)
    assert (folder / ".gitignore").read_text() == "lock\n"


@pytest.mark.parametrize("action", ["read", "acquire"])
@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "it is empty"), (b"kind: Project\n" * 100, "not a state of taskspec"), (b"SQLite format 3\0", "state.db")],
)
def test_a_file_of_something_else_is_refused(kept, folder, content, says, action):
    kept.write_bytes(content)
    assert says in refusal(folder, action)
    assert str(kept) in refusal(folder, action)
    assert kept.read_bytes() == content


@pytest.mark.parametrize("action", ["read", "acquire"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.9])
def test_a_truncated_file_is_refused(kept, folder, share, action):
    whole = kept.read_bytes()
    kept.write_bytes(whole[: int(len(whole) * share)])
    assert str(kept) in refusal(folder, action)


def test_a_file_with_holes_is_refused_or_read_whole(kept, folder):
    whole = kept.read_bytes()
    for start in range(0, len(whole), 4096):
        kept.write_bytes(whole[:start] + b"\xa5" * 4096 + whole[start + 4096 :])
        store = SqliteState(folder, "sales", "default", read_only=True)
        try:
            assert store.read().records == {EXTRACT: record()}
        except StateError as error:
            assert str(kept) in error.message  # noqa: PT017  # either of the two is right
        finally:
            store.close()


@pytest.mark.parametrize("action", ["read", "acquire"])
def test_a_newer_format_is_refused_and_asks_for_an_upgrade(kept, folder, action):
    edit(kept, f"UPDATE meta SET format = {FORMAT + 1}")
    said = f"made by a newer taskspec (format {FORMAT + 1}; this one knows up to {FORMAT})"
    assert said in refusal(folder, action)


@pytest.fixture
def kept_1(store, folder):
    """A state of format 1 with the kept record of that format; returns its file."""
    store.release(store.acquire(ALICE))
    store.close()
    path = folder / "default" / "state.db"
    text = (Path(__file__).parent / "samples" / "record.v1.json").read_text().strip()
    edit(path, f"INSERT INTO records VALUES ('extract', '{text}')")
    edit(path, "UPDATE meta SET format = 1")
    return path


def test_a_state_of_format_1_is_read_as_it_is_and_upgraded_by_the_first_writer(kept_1, folder):
    reader = SqliteState(folder, "sales", "default", read_only=True)
    before = reader.read()
    assert before.records[EXTRACT].accepted.attempt.assertions is None
    assert format_of(kept_1) == 1
    writer = SqliteState(folder, "sales", "default", read_only=False)
    writer.release(writer.acquire(ALICE))
    assert format_of(kept_1) == FORMAT
    assert writer.read() == reader.read() == before
    reader.close()
    writer.close()


def test_a_record_of_format_1_that_is_not_readable_is_named_and_nothing_is_upgraded(kept_1, folder):
    edit(kept_1, "UPDATE records SET record = replace(record, '\"agent\"', '\"agnet\"')")
    for action in ("read", "acquire"):
        assert "the record of extract is not readable" in refusal(folder, action)
    assert format_of(kept_1) == 1


def format_of(path):
    connection = sqlite3.connect(path)
    (found,) = connection.execute("SELECT format FROM meta").fetchone()
    connection.close()
    return found


@pytest.fixture
def unchained(kept):
    """A state of an older taskspec, whose history has no hashes; returns its file."""
    edit(kept, "DROP INDEX history_by_address")
    edit(kept, "ALTER TABLE history DROP COLUMN hash")
    edit(kept, "CREATE INDEX history_by_address ON history (address, id)")
    edit(kept, "ALTER TABLE meta DROP COLUMN head")
    edit(kept, "PRAGMA user_version = 0")
    return kept


def test_a_history_without_hashes_is_read_as_it_is_and_chained_by_the_first_writer(unchained, folder):
    reader = SqliteState(folder, "sales", "default", read_only=True)
    assert [(entry.note, entry.hash) for entry in reader.history()] == [(note(), "")]
    assert (reader.head(), reader.read().head) == ("", "")
    writer = SqliteState(folder, "sales", "default", read_only=False)
    lease = writer.acquire(BOB)
    lineage = writer.read().lineage
    assert follow(reader.history(), lineage).broken is None
    assert reader.head() == next(reader.history(EXTRACT)).hash != ""
    writer.commit(lease, 1, [note(what="seen")])
    assert [entry.note.what for entry in reader.history(EXTRACT)] == ["seen", "ended"]
    assert follow(reader.history(), lineage).head == reader.head()
    reader.close()
    writer.close()


def test_a_history_that_cannot_be_chained_is_told_and_nothing_is_upgraded(unchained, folder):
    edit(unchained, "UPDATE history SET note = '{}'")
    assert "entry 1 of its history is not readable" in refusal(folder, "acquire")
    reader = SqliteState(folder, "sales", "default", read_only=True)
    assert reader.read().records == {EXTRACT: record()}
    assert reader.head() == ""
    reader.close()


@pytest.mark.parametrize("action", ["read", "acquire"])
def test_tables_of_a_newer_form_are_refused_and_ask_for_an_upgrade(kept, folder, action):
    edit(kept, "PRAGMA user_version = 2")
    assert "made by a newer taskspec (its tables are of form 2" in refusal(folder, action)


def test_a_database_of_somebody_else_is_refused(kept, folder):
    kept.unlink()
    edit(kept, "CREATE TABLE songs (title TEXT)")
    assert "is not a state of taskspec" in refusal(folder)


def test_a_record_that_is_not_readable_is_named(kept, folder):
    edit(kept, "UPDATE records SET record = replace(record, '\"agent\"', '\"agnet\"')")
    assert "the record of extract is not readable" in refusal(folder)


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("UPDATE meta SET lineage = ''", "its lineage is none"),
        ("UPDATE meta SET lineage = x'ff'", "its lineage is none"),
        ("UPDATE meta SET serial = 'many'", "its serial is none"),
        ("UPDATE meta SET serial = 1.5", "its serial is none"),
        ("UPDATE meta SET epoch = 'first'", "its epoch is none"),
        ("UPDATE meta SET head = ''", "its head is none"),
        ("UPDATE meta SET head = x'00'", "its head is none"),
        ("UPDATE records SET record = x'ff'", "the record of extract is not readable"),
        ("UPDATE records SET record = 5", "the record of extract is not readable"),
        ("UPDATE records SET address = 'other'", "the record of other is that of extract"),
    ],
)
@pytest.mark.parametrize("action", ["read", "read_some"])
def test_a_value_that_nobody_could_have_written_is_told(kept, folder, sql, says, action):
    edit(kept, sql)
    reads = (lambda store: store.read()) if action == "read" else lambda store: store.read(only=[EXTRACT, "other"])
    store = SqliteState(folder, "sales", "default", read_only=True)
    with pytest.raises(StateError, match=says) as caught:
        reads(store)
    assert caught.value.hint
    store.close()


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("UPDATE history SET note = 'garbage'", "entry 1 of its history is not readable"),
        ("UPDATE history SET note = x'00ff'", "entry 1 of its history is not readable"),
        ("UPDATE history SET note = 5", "entry 1 of its history is not readable"),
        ("UPDATE history SET address = 'other'", "entry 1 of its history tells of `extract`, and stands under `other`"),
    ],
)
def test_an_entry_that_is_not_readable_or_stands_elsewhere_is_named(kept, folder, sql, says):
    edit(kept, sql)
    store = SqliteState(folder, "sales", "default", read_only=True)
    with pytest.raises(StateError, match=says):
        list(store.history())
    store.close()


def test_a_journal_without_its_database_is_refused(kept, folder):
    kept.unlink()
    kept.with_name("state.db-journal").write_bytes(b"the remains")
    assert "its journal is still there" in refusal(folder)
    assert "its journal is still there" in refusal(folder, "acquire")


def test_a_file_where_the_folder_should_be_is_told(tmp_path):
    folder = tmp_path / ".taskspec"
    folder.write_text("a file")
    assert str(folder) in refusal(folder)
    assert str(folder) in refusal(folder, "acquire")


@pytest.mark.skipif(os.geteuid() == 0, reason="root is denied nothing")
def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    assert "Permission denied" in refusal(tmp_path / "locked" / ".taskspec", "acquire")


def test_a_full_database_is_told_and_stays_readable(store):
    lease = store.acquire(ALICE)
    store._database.opened().execute("PRAGMA max_page_count = 20")
    with pytest.raises(StateError, match="the disk is full"):
        store.commit(lease, 0, [put(), put_result("x" * 200_000)])
    assert store.read().serial == 0
    assert store.commit(lease, 0, [put()]) == 1


def test_a_large_result_that_was_changed_or_removed_is_told(kept, folder):
    blob = folder / "default" / "blobs" / ref(LARGE).digest
    reader = SqliteState(folder, "sales", "default", read_only=True)
    assert reader.result(ref(LARGE)) == LARGE
    blob.write_text(LARGE.replace("x", "y"))
    with pytest.raises(StateError, match="does not match its digest"):
        reader.result(ref(LARGE))
    blob.unlink()
    with pytest.raises(StateError, match="is not in"):
        reader.result(ref(LARGE))
    reader.close()


def test_what_a_killed_writer_left_unfinished_is_removed(kept, folder):
    draft = folder / "default" / "blobs" / ".abc.1.new"
    draft.write_text("half a res")
    (folder / "default" / "state.db.new").write_text("half a database")
    store = SqliteState(folder, "sales", "default", read_only=False)
    store.acquire(BOB)
    assert not draft.exists()
    assert store.result(ref(LARGE)) == LARGE
    store.close()


def test_an_unfinished_first_start_is_begun_again(folder, store):
    home = folder / "default"
    home.mkdir(parents=True)
    (home / "state.db.new").write_text("half a database")
    assert store.read().lineage == ""
    store.acquire(ALICE)
    assert store.read().lineage


def test_a_state_that_was_replaced_by_a_later_one_is_a_lost_lease(store, folder, tmp_path):
    lease = store.acquire(ALICE)
    shutil.copytree(folder / "default", tmp_path / "copy")
    edit(tmp_path / "copy" / "state.db", "UPDATE meta SET epoch = epoch + 1")
    (tmp_path / "copy" / "state.db").replace(folder / "default" / "state.db")
    with pytest.raises(LostLeaseError):
        store.commit(lease, 0, [put()])


def test_nothing_is_left_half_done_by_an_interrupt(store, monkeypatch):
    lease = store.acquire(ALICE)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "_check", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.commit(lease, 0, [put()])
    monkeypatch.undo()
    assert store.read().serial == 0
    assert store.commit(lease, 0, [put()]) == 1


def test_the_history_of_an_address_is_found_by_an_index(kept):
    connection = sqlite3.connect(kept)
    question = "SELECT id, address, note FROM history WHERE id < 9 AND address = 'extract' ORDER BY id DESC LIMIT 5"
    steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {question}")]
    connection.close()
    assert len(steps) == 1
    assert "history_by_address" in steps[0]


def test_ten_thousand_records_are_read_at_once(store):
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put(Address(f"task-{number}")) for number in range(10_000)])
    with little_work():
        assert len(store.read().records) == 10_000


@pytest.mark.parametrize("kind", ["sqlite"])
def test_many_records_are_one_snapshot_although_somebody_writes_between_the_pages(opened, monkeypatch):
    store = opened()
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put(Address(f"task-{number:04}")) for number in range(2500)])
    really = reading.decoded

    def decoded(rows, form, path):
        if store.digest()[0] == 1:
            store.commit(lease, 1, [put(Address("task-9999")), DropRecord(address=Address("task-0000"))])
        return really(rows, form, path)

    monkeypatch.setattr(reading, "decoded", decoded)
    found = opened(read_only=True).read()
    assert (found.serial, len(found.records)) == (2, 2500)
    assert list(found.records) == [f"task-{number:04}" for number in range(1, 2500)] + ["task-9999"]


def test_the_file_of_a_large_result_goes_once_it_is_dropped_and_only_then(store, folder):
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put_result(LARGE)])
    blob = folder / "default" / "blobs" / ref(LARGE).digest
    with pytest.raises(StaleError):
        store.commit(lease, 7, [drop_result(LARGE)])
    assert blob.exists()
    store.commit(lease, 1, [drop_result(LARGE)])
    assert not blob.exists()


def test_a_file_that_stays_of_a_dropped_result_does_no_harm(store, folder):
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put_result(LARGE)])
    blob = folder / "default" / "blobs" / ref(LARGE).digest
    content = blob.read_bytes()
    store.commit(lease, 1, [drop_result(LARGE)])
    blob.write_bytes(content)
    with pytest.raises(StateError, match="is not in"):
        store.result(ref(LARGE))
    assert (list(store.results()), store.faults()) == ([], [])
