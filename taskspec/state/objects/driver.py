"""A register in an object store that speaks S3: one object for the page, others for the pieces. Decides nothing.

Writes are made under a condition on the ETag, and never repeated here. obstore has threads of its own, which a copy of
the process by `fork` does not have: a copy must not use it.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, UnknownConfigurationKeyError
from obstore.store import S3Store

from taskspec.documents.places import LOOPBACK, shown
from taskspec.errors import StateError
from taskspec.state.objects.answers import Answer, answer_of, trouble
from taskspec.state.objects.endpoints import require_endpoints
from taskspec.state.registers.port import ConflictError, Held, ServerLock, UncertainError
from taskspec.state.store import Fencing

_PAGE: Final = "state.json"
_PIECES: Final = "pieces"
_PROBE: Final = "probe"
_ENDPOINTS: Final = frozenset({"endpoint", "endpoint_url", "aws_endpoint", "aws_endpoint_url"})
_NO_TAG: Final = '"00000000000000000000000000000000"'
_FRESH: Final = 30.0
"""Seconds for which what the server's clock showed is counted on by our own."""
_WHOLE: Final = 1.0
"""The seconds in which the server tells when something was written: a lease never seems older than it is."""
_OUT_OF_RANGE: Final = 416
_LARGE: Final = 1024 * 1024
_DENIED: Final = frozenset({401, 403})
_CONNECT: Final = timedelta(seconds=5)
_SWAP: Final = timedelta(seconds=15)
_TRANSFER: Final = timedelta(seconds=60)
_BACKOFF: Final[Any] = {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=2), "base": 2}


class ObjectRegister:
    """A `Register` in the folder `<prefix>/<name>/<environment>` of a bucket."""

    fencing = Fencing.SWAP
    notice = ""
    has_pieces = True
    has_lock = False

    def __init__(
        self, url: str, name: str, environment: str, *, read_only: bool, environ: Mapping[str, str] | None = None
    ) -> None:
        parts = urlsplit(url)
        self._bucket = parts.hostname or ""
        folders = [part for part in unquote(parts.path).split("/") if part]
        prefix = "/".join([*folders, name, environment])
        self._read_only = read_only
        settings = dict(parse_qsl(parts.query))
        self.place = _place("/".join([self._bucket, *folders]), settings, name)
        require_endpoints(self.place, settings, environ or {})
        client = _client(settings)
        # A write under a condition that is made twice is refused the second time, also where the first has happened.
        self._swaps = self._store(prefix, settings, {**client, "timeout": _SWAP}, retries=0)
        self._small = self._store(prefix, settings, {**client, "timeout": _SWAP}, retries=4)
        self._large = self._store(prefix, settings, {**client, "timeout": _TRANSFER}, retries=4)
        self._ahead: tuple[float, float] | None = None  # by how much the server's clock is, and when that was seen
        self._is_conditional = False

    def load(self) -> Held | None:
        """Return what is there; None where nothing is."""
        with self._asked():
            try:
                found = obstore.get(self._small, _PAGE)
                content = bytes(found.bytes())
            except FileNotFoundError as error:
                self._require_missing(error)
                return None
            latest = found.meta["last_modified"].timestamp() + _WHOLE
            return Held(content=content, tag=_tag(found.meta), written=latest)

    def swap(self, content: bytes, before: Held | None, *, number: int, lock: str | None) -> Held:  # noqa: ARG002  # its tag says more
        """Put a text in the place of exactly what was read before, and return it."""
        self._require_conditional()
        mode: Any = "create" if before is None else {"e_tag": before.tag}
        try:
            made = obstore.put(self._swaps, _PAGE, content, mode=mode)
        except (BaseError, FileNotFoundError) as error:
            answer = answer_of(error)
            if answer.is_conflict:
                raise ConflictError from error
            if answer.is_uncertain:
                raise UncertainError(answer.text) from error
            raise trouble(answer, self.place, self._bucket) from error
        if not made["e_tag"]:
            raise UncertainError("it names no ETag")
        return Held(content=content, tag=made["e_tag"])

    def clock(self) -> float:
        """Return about what time it is at the server, without asking it."""
        return time.time() + (self._ahead[0] if self._ahead is not None else 0.0)

    def now(self) -> float:
        """Return what time it is at the server, and not more; where it may not be asked, by our own clock."""
        if self._ahead is None or time.monotonic() - self._ahead[1] > _FRESH:
            self._ahead = self._seen_ahead(), time.monotonic()
        return self.clock()

    def put(self, name: str, content: bytes) -> None:
        """Keep a piece."""
        with self._asked():
            obstore.put(self._sized(len(content)), f"{_PIECES}/{name}", content)

    def get(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """Return a piece, or a part of it; raise KeyError where it is missing."""
        path = f"{_PIECES}/{name}"
        with self._asked():
            try:
                if length is None:
                    return bytes(obstore.get(self._large, path).bytes())[start:]
                store = self._sized(length)
                return bytes(obstore.get_range(store, path, start=start, length=length)) if length else b""
            except FileNotFoundError as error:
                self._require_missing(error)
                raise KeyError(name) from error
            except BaseError as error:
                if answer_of(error).status != _OUT_OF_RANGE:
                    raise
                return b""  # it was cut, and what is held against its digest tells

    def drop(self, names: Iterable[str]) -> None:
        """Remove pieces; one that is not there is no error."""
        paths = [f"{_PIECES}/{name}" for name in names]
        if paths:
            with self._asked():
                obstore.delete(self._small, paths)

    def pieces(self) -> Iterator[tuple[str, float]]:
        """Yield every piece that is kept, and when it was written."""
        with self._asked():
            for some in obstore.list(self._small, _PIECES):
                for meta in some:
                    yield meta["path"].removeprefix(f"{_PIECES}/"), meta["last_modified"].timestamp()

    def lock(self, wanted: ServerLock) -> ServerLock | None:
        """Raise: an object store has no lock of its own."""
        raise NotImplementedError

    def unlock(self, identifier: str) -> None:
        """Raise: an object store has no lock of its own."""
        raise NotImplementedError

    def close(self) -> None:
        """Do nothing: connections end by themselves."""

    def _sized(self, size: int) -> S3Store:
        """Return what transfers so many bytes: a server that says nothing is not waited for as if they were many."""
        return self._large if size > _LARGE else self._small

    def _store(self, prefix: str, settings: Any, client: Any, *, retries: int) -> S3Store:
        try:
            return S3Store(
                self._bucket,
                prefix=prefix,
                config=settings,
                client_options=client,
                retry_config={"max_retries": retries, "retry_timeout": _SWAP, "backoff": _BACKOFF},
            )
        except UnknownConfigurationKeyError as error:
            raise StateError(
                f"The place of the state, {self.place}, has a parameter that object stores do not know: "
                f"{answer_of(error).text}",
                hint="Those are for instance `region`, `endpoint`, `virtual_hosted_style_request`.",
            ) from error
        except (BaseError, ValueError) as error:
            raise StateError(
                f"The place of the state, {self.place}, cannot be used: {answer_of(error).text}",
                hint="Check its parameters, and the AWS_* variables of the environment.",
            ) from error

    @contextmanager
    def _asked(self) -> Iterator[None]:
        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            raise trouble(answer_of(error), self.place, self._bucket) from error

    def _require_missing(self, error: FileNotFoundError) -> None:
        """Raise StateError where it is not only the object that is not there."""
        answer = answer_of(error)
        if not answer.is_missing:
            raise trouble(answer, self.place, self._bucket) from error

    def _require_conditional(self) -> None:
        """Raise StateError where the server makes writes whose condition is not met: some clones of S3 do."""
        if self._is_conditional:
            return
        with self._asked():
            obstore.put(self._small, _PROBE, b"taskspec")
        for mode in ({"e_tag": _NO_TAG}, "create"):
            try:
                obstore.put(self._small, _PROBE, b"taskspec", mode=mode)  # type: ignore[arg-type]  # one of two
            except (BaseError, FileNotFoundError) as error:
                answer: Answer = answer_of(error)
                if answer.is_conflict:
                    continue
                raise trouble(answer, self.place, self._bucket) from error
            raise StateError(
                f"The server of the state at {self.place} makes no conditional writes (If-Match, If-None-Match): two "
                "commands could overwrite each other. Nothing was written.",
                hint="Keep the state in a store that has them, such as S3 itself, or in PostgreSQL.",
            )
        self._is_conditional = True

    def _seen_ahead(self) -> float:
        """Return by how many seconds the server's clock is ahead of ours, at least.

        It is seen in whole seconds; where we may not write, our own is taken for it, and given as much less. Whoever
        may write takes leases by it: where it cannot be seen, that is an error.
        """
        if self._read_only:
            return -_WHOLE
        try:
            obstore.put(self._small, _PROBE, b"taskspec")
            seen: float = obstore.head(self._small, _PROBE)["last_modified"].timestamp()
        except (BaseError, FileNotFoundError) as error:
            answer = answer_of(error)
            if answer.status in _DENIED:
                return -_WHOLE
            raise trouble(answer, self.place, self._bucket) from error
        return seen - time.time()


def _place(folder: str, settings: Mapping[str, str], name: str) -> str:
    """Return where a state is, as a manifest names the place: without what may be said in more than one way."""
    endpoint = next((value for key, value in settings.items() if key.lower() in _ENDPOINTS), None)
    query = f"?endpoint={endpoint}" if endpoint else ""
    return f"{shown(f's3://{folder}{query}')} (state `{name}`)"


def _client(settings: dict[str, str]) -> dict[str, Any]:
    """Return how the server is spoken to: without TLS only on this machine, or where that is asked for."""
    asked = settings.pop("allow_http", "").lower() == "true"
    here = urlsplit(settings.get("endpoint", "")).hostname in LOOPBACK
    return {"connect_timeout": _CONNECT} | ({"allow_http": True} if asked or here else {})


def _tag(meta: Any) -> str:
    tag = meta["e_tag"]
    if not tag:
        raise StateError("The object store names no ETag, without which no write can be made safely.")
    return str(tag)
