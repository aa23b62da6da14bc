"""The tables of PostgreSQL states: their form, and the steps to it. Knows no state that is in them.

A database may hold many states: of projects, of environments, and of several teams in a schema each. Texts are compared
by code point (`COLLATE "C"`), as everywhere in taskspec.
"""

import zlib
from typing import Final, LiteralString

from psycopg import errors

from taskspec.errors import StateError
from taskspec.state.postgres.connecting import WRITING, Session
from taskspec.state.postgres.tables import query, quoted
from taskspec.state.postgres.trouble import told

_FIRST: Final = """
CREATE TABLE {version} (one boolean PRIMARY KEY DEFAULT true CHECK (one), number integer NOT NULL);
CREATE TABLE {states} (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE "C" NOT NULL,
  environment text COLLATE "C" NOT NULL,
  project text NOT NULL,
  lineage text NOT NULL,
  format integer NOT NULL,
  serial bigint NOT NULL DEFAULT 0,
  told bigint NOT NULL DEFAULT 0,
  head text NOT NULL,
  nonce text NOT NULL DEFAULT '',
  epoch bigint NOT NULL DEFAULT 0,
  taken text NOT NULL DEFAULT '',
  held boolean NOT NULL DEFAULT false,
  holder text NOT NULL DEFAULT '',
  beat timestamptz NOT NULL DEFAULT clock_timestamp(),
  ttl double precision NOT NULL DEFAULT 0,
  UNIQUE (name, environment)
);
CREATE TABLE {records} (
  state bigint NOT NULL REFERENCES {states} ON DELETE CASCADE,
  address text COLLATE "C" NOT NULL,
  record text NOT NULL,
  PRIMARY KEY (state, address)
);
CREATE TABLE {results} (
  state bigint NOT NULL REFERENCES {states} ON DELETE CASCADE,
  digest text COLLATE "C" NOT NULL,
  size bigint NOT NULL,
  content bytea NOT NULL,
  PRIMARY KEY (state, digest)
);
CREATE TABLE {history} (
  state bigint NOT NULL REFERENCES {states} ON DELETE CASCADE,
  id bigint NOT NULL,
  serial bigint NOT NULL,
  address text COLLATE "C" NOT NULL,
  note text NOT NULL,
  hash text NOT NULL,
  PRIMARY KEY (state, id)
);
CREATE INDEX history_by_address ON {history} (state, address, id);
INSERT INTO {version} (number) VALUES (0);
"""
_STEPS: tuple[LiteralString, ...] = (_FIRST,)
"""Each brings the tables from the form of its position to the next one."""

_FOUND: Final = "SELECT to_regnamespace(%(schema)s::text) IS NOT NULL, to_regclass(%(version)s::text) IS NOT NULL"
_SET_UP: Final = (
    "Let an owner of the database run `CREATE SCHEMA {} AUTHORIZATION ROLE` once, where ROLE is the one that taskspec "
    "connects as. For a role that is to own no tables, docs/postgresql.md has the SQL."
)
_UPGRADE: Final = (
    "Let a command that writes, such as `taskspec apply`, run once as the role that owns the tables: "
    "docs/postgresql.md tells how."
)
_NUMBER: Final = "UPDATE {version} SET number = %(number)s"


def newest() -> int:
    """Return the number of the form that this taskspec knows."""
    return len(_STEPS)


def creation(schema: str) -> str:
    """Return all that makes the tables in a schema that is there, as one text of SQL."""
    steps = "".join(_STEPS)
    return f"{query(steps, schema).decode().strip()}\n{query(_NUMBER, schema).decode() % {'number': newest()}};\n"


def migrate(session: Session) -> None:
    """Bring the tables of a session's schema to today's form, all of it or nothing; raise StateError where it may not.

    Whoever comes second waits until the first one is done, and finds nothing left to do. The lock ends with the
    transaction: one of the session would be left with a connection that a pooler gives to somebody else.
    """
    names = {"schema": quoted(session.schema), "version": quoted(session.schema, "version")}
    has_tables = False
    try:
        with session.transaction(WRITING):
            session.rows("SELECT pg_advisory_xact_lock(%(key)s)", {"key": _key(session.schema)})
            ((has_schema, has_tables),) = session.rows(_FOUND, names)
            if not has_schema:
                session.rows("CREATE SCHEMA {schema}")
            _step(session, session.rows("SELECT number FROM {version}")[0][0] if has_tables else 0)
    except errors.InsufficientPrivilege as error:
        raise StateError(
            f"The state at {session.place} lacks tables of today's form, and this role may not make them "
            f"({told(error)}).",
            hint=_UPGRADE if has_tables else _SET_UP.format(quoted(session.schema)),
        ) from error


def _step(session: Session, number: int) -> None:
    for step in _STEPS[number:]:
        session.script(step)
    if number < newest():
        session.rows(_NUMBER, {"number": newest()})


def _key(schema: str) -> int:
    return 0x7461736B << 32 | zlib.crc32(schema.encode())
