"""Lists of runs: which are asked for, and a page of them at a time. Changes nothing."""

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

PAGE_BYTES = 4_000_000
FILTERS = ("status", "user_id", "parent_task_id", "triggering_agent_id", "internal_status")


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """Which runs a list shows: by column one of these values, and optionally one page of them."""

    matches: Mapping[str, Collection[str]] = field(default_factory=dict)
    per_page: int | None = None
    before: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Rows of a list as JSON texts, newest first; `next_before` leads on where there are more."""

    rows: list[str]
    next_before: int | None = None


def history(connection: sqlite3.Connection, query: Query) -> Page:
    """Return the rows of a list."""
    conditions = [f"{name} IN ({', '.join('?' * len(values))})" for name, values in query.matches.items()]
    given: list[str | int] = [value for values in query.matches.values() for value in values]
    if query.before is not None:
        conditions.append("seq < ?")
        given.append(query.before)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    statement = f"SELECT seq, row FROM runs {where} ORDER BY seq DESC"  # noqa: S608 - column names come from FILTERS
    found = connection.execute(statement, given)
    if query.per_page is None:
        return Page(rows=[row["row"] for row in found])
    rows: list[str] = []
    size, last = 0, 0
    for row in found:
        if len(rows) == query.per_page or (rows and size + len(row["row"]) > PAGE_BYTES):
            found.close()
            return Page(rows=rows, next_before=last)
        rows.append(row["row"])
        size, last = size + len(row["row"]), row["seq"]
    return Page(rows=rows)
