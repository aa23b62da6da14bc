"""A database of the engine that is full: who asked hears why, and everything that was there stays."""

import sqlite3

import pytest

from taskspec.engine.database import _unreadable, open_database


@pytest.fixture
def database(tmp_path):
    made = open_database(tmp_path)
    yield made
    made.close()


def put(name, size):
    def job(connection):
        connection.execute("INSERT INTO meta VALUES (?, ?)", (name, "x" * size))
        return name

    return job


def names(connection):
    return {row["name"] for row in connection.execute("SELECT name FROM meta")}


def test_what_does_not_fit_is_told_as_it_is_and_nothing_is_half_kept(database):
    database.submit(lambda connection: connection.execute("PRAGMA max_page_count = 40").fetchone()).result()
    done = [database.submit(put(f"n{n}", 300_000 if n == 5 else 10)) for n in range(10)]
    for future in done:
        error = future.exception()
        assert error is None or error.sqlite_errorcode == sqlite3.SQLITE_FULL
    assert done[5].exception() is not None
    kept = {future.result() for future in done if future.exception() is None}
    assert database.submit(names).result() == {"format", "instance", *kept}
    assert database.submit(put("after", 10)).result() == "after"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (sqlite3.SQLITE_FULL, "Free some space"),
        (sqlite3.SQLITE_READONLY, "can be written"),
        (sqlite3.SQLITE_IOERR, "Check the disk"),
        (sqlite3.SQLITE_CORRUPT, "move it away"),
    ],
)
def test_the_advice_is_for_what_is_wrong(tmp_path, code, says):
    error = sqlite3.OperationalError("no")
    error.sqlite_errorcode = code
    assert says in _unreadable(tmp_path, error).hint
