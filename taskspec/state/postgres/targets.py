"""The URL of a PostgreSQL place → how to connect to it, and where its tables are. Connects to nothing."""

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Conninfo

from taskspec.documents.places import LOOPBACK, secret_in, shown
from taskspec.errors import StateError

SCHEMA: Final = "taskspec"
"""The schema of the tables where the URL names none."""

_LONGEST: Final = 63
_SCHEMA: Final = "schema="
_DEFAULTS: Final = {
    "connect_timeout": "10",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
"""So that a server which is gone without a word is found to be gone; a parameter of the URL goes first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Where a server is and where in it the tables are."""

    place: str
    """The URL as it may be printed."""
    schema: str
    conninfo: str = field(repr=False)
    notice: str = ""
    """What is weak about the way there, in a sentence."""


def target_of(url: str) -> Target:
    """Return what a URL means; raise StateError for one that the library of PostgreSQL does not understand."""
    base, mark, query = url.partition("?")
    pairs = [pair for pair in query.split("&") if pair]
    schemas = [unquote(pair.removeprefix(_SCHEMA)) for pair in pairs if pair.startswith(_SCHEMA)]
    rest = "&".join(pair for pair in pairs if not pair.startswith(_SCHEMA))
    place = shown(url)
    if len(schemas) > 1 or not all(_is_name(schema) for schema in schemas):
        raise StateError(
            f"The place of the state, {place}, must give `schema` once, as a name of at most {_LONGEST} bytes.",
            hint="The schema is where the tables are; without it they are in `taskspec`.",
        )
    try:
        given = conninfo_to_dict(f"{base}{mark if rest else ''}{rest}")
    except psycopg.ProgrammingError as error:
        why = "" if secret_in(url) else f" ({' '.join(str(error).split())})"  # it may quote the password
        raise StateError(
            f"The place of the state, {place}, is no URL that PostgreSQL's library understands{why}.",
            hint="It is postgresql://USER@HOST:PORT/DATABASE?PARAMETER=VALUE; what is special in a value is written in "
            "percent signs (`@` as %40).",
        ) from None
    fixed = {"client_encoding": "utf8", "fallback_application_name": "taskspec"}
    parameters = {**_DEFAULTS, **{key: value for key, value in given.items() if value is not None}, **fixed}
    return Target(
        place=place,
        schema=schemas[0] if schemas else SCHEMA,
        conninfo=make_conninfo("", **parameters),
        notice=_notice(parameters),
    )


def _is_name(schema: str) -> bool:
    return 0 < len(schema.encode("utf-8", "surrogatepass")) <= _LONGEST and schema.isprintable()


def _notice(parameters: dict[str, Any]) -> str:
    """Return what is to be said of a way that somebody could be on; what only a service file says is not known."""
    usual = {one.keyword.decode(): (one.val or b"").decode() for one in Conninfo.get_defaults()}
    names = (parameters.get("host") or parameters.get("hostaddr") or usual["host"] or usual["hostaddr"]).split(",")
    mode = parameters.get("sslmode") or usual["sslmode"]
    is_local = all(not name or name in LOOPBACK or name[0] in "/@" for name in names)
    if is_local or mode == "verify-full" or parameters.get("service") or usual["service"]:
        return ""
    return (
        f"`sslmode` is `{mode}`: whoever is on the way to the server can take its place, which they cannot where it is "
        "`verify-full`"
    )
