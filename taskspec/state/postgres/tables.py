"""The names of the tables, within the schema that a place names. Executes nothing."""

from functools import lru_cache
from typing import Final, LiteralString

from psycopg.sql import SQL, Identifier

_TABLES: Final = ("version", "states", "records", "results", "history")


@lru_cache(256)
def query(text: LiteralString, schema: str) -> bytes:
    """Return a statement with the tables of a schema in the place of their names in braces."""
    names = {table: Identifier(schema, table) for table in _TABLES}
    return SQL(text).format(**names, schema=Identifier(schema)).as_bytes(None)


def quoted(*names: str) -> str:
    """Return the name of a schema, or of a table in one, as SQL writes it."""
    return Identifier(*names).as_string(None)
