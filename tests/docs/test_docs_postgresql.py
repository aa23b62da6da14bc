"""The SQL of docs/postgresql.md does what the page says, on a real server."""

import re
import uuid

import pytest
from docs_pages import blocks, page, section
from state_servers import open_at, server

from taskspec.address import Address
from taskspec.errors import StateError
from taskspec.state.model import DropRecord, Holder, Note
from taskspec.state.postgres import connecting
from taskspec.state.postgres.schema import creation

PAGE = page("docs/postgresql.md")
HOLDER = Holder(user="alice", host="laptop", pid=1, command="taskspec apply", since=1.0)
NOTE = Note(address=Address("extract"), at=1.0, what="created")


def sql(heading):
    """Return the statements of a section, each of its blocks as one text."""
    return [block.text for block in blocks(section(PAGE, heading)) if block.language == "sql"]


@pytest.fixture
def database():
    """A database of its own, without any role that the page names."""
    found, name = server("postgres"), f"d{uuid.uuid4().hex}"
    found.execute(f"CREATE DATABASE {name}")
    yield lambda *statements: found.execute(*statements, database=name)
    found.execute(f"DROP DATABASE {name} WITH (FORCE)", *(f"DROP ROLE IF EXISTS {role}" for role in ROLES))


ROLES = sorted(set(re.findall(r"CREATE ROLE (\w+)", PAGE)))


@pytest.fixture
def opened(database):
    ((name,),) = database("SELECT current_database()")
    stores = []

    def open_store(role):
        stores.append(open_at(server("postgres").url(user=role, database=name), None))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


def works(store):
    lease = store.acquire(HOLDER)
    serial = store.read().serial
    store.commit(lease, serial, [NOTE, DropRecord(address=Address("extract"))])
    store.release(lease)
    return store.read().serial == serial + 1


def test_the_simplest_way_works(database, opened):
    database(*sql("Set up"))
    assert works(opened("taskspec"))


def test_a_role_that_owns_nothing_works_as_the_page_sets_it_up(database, opened):
    made, granted = sql("A role that owns nothing")
    database(made, "SET ROLE taskspec_owner", creation("taskspec"), "RESET ROLE", granted)
    assert works(opened("taskspec_runner"))
    for statement in ("DROP TABLE taskspec.records", "CREATE TABLE taskspec.more (one int)"):
        with pytest.raises(Exception, match=r"must be owner|permission denied"):
            database("SET ROLE taskspec_runner", statement)
    reader = opened("taskspec_reader")
    assert reader.read().serial == 1
    with pytest.raises(StateError, match="does not allow this role"):
        reader.acquire(HOLDER)


def test_the_tables_on_the_page_are_those_that_are_made():
    assert sql("The tables") == [creation("taskspec")]


def test_the_owner_may_make_the_tables_by_a_command_instead(database, opened):
    made, granted = sql("A role that owns nothing")
    database(made)
    assert works(opened("taskspec_owner"))
    database(granted)
    assert works(opened("taskspec_runner"))


def test_what_the_page_asks_of_the_tables_is_an_answer(database, opened):
    database(*sql("Set up"))
    assert works(opened("taskspec"))
    looked, removed = sql("For whoever runs the database")
    ((name, environment, serial, held, *_),) = database(looked)
    assert (name, environment, serial, held) == ("sales", "default", 1, False)
    database(removed)
    assert database(looked) == []


def test_the_times_are_those_of_the_page():
    told = section(PAGE, "Lost connections")
    assert f"{connecting.PATIENCE:.0f} seconds" in told
    assert f"{connecting.ANSWER:.0f} seconds" in told
