"""Secrets that are made to be found, and the search for them in whatever form they are written down."""

import base64
import hashlib
import json
import re
import sqlite3
import urllib.parse
from contextlib import closing

MARK = "Kanari"
"""Stands in each secret, more than once, and nowhere else."""
_SHORT = 16
"""So many digits of a digest are kept where it is kept short."""
_DIGEST = re.compile(r"[0-9a-fA-F]{16,}")


def canary(name):
    """Return a secret of several lines, with all that JSON, YAML, URLs, shells and base64 have to escape."""
    return f"{_own(name)}-{MARK}-{name}-\"'+/%é 𝄞\\\n\t{MARK}-{name}-{{&=<"


def plain(name):
    """Return a secret of printable ASCII, as headers, keys and URLs carry it."""
    return f"{_own(name)}-{MARK}-{name}-+/%&=~{MARK}-{name}"


def _own(name):
    """Return the beginning of a secret, which no other one has: a secret is known by its beginning."""
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def _base64(text):
    """Return what base64 makes of a text wherever it stands in a longer one."""
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + text.encode()).decode()
        begin = -(-shift * 8 // 6)
        yield coded[begin : (shift + len(text)) * 8 // 6]


def _forms():
    yield from {MARK, MARK[::-1], MARK.encode().hex(), MARK.encode("utf-16-le").hex()}
    for coded in _base64(MARK):
        yield coded
        yield from _base64(coded)  # base64 of base64
        yield urllib.parse.quote(coded, safe="")
    yield "".join(f"%{byte:02x}" for byte in MARK.encode())
    yield "".join(f"\\u{byte:04x}" for byte in MARK.encode())


FORMS = re.compile("|".join(map(re.escape, sorted(_forms()))), re.IGNORECASE)
"""Base64 is searched for without regard to case as well: that finds more, and nothing by chance."""


def digests(secrets):
    """Return who is behind the first digits of each digest that could be made of a secret alone."""
    found = {}
    for name, secret in secrets.items():
        for text in (secret, f"{secret}\n", json.dumps(secret), json.dumps(secret, ensure_ascii=False)):
            for algorithm in ("sha256", "sha1", "md5", "sha512", "blake2b"):
                digest = hashlib.new(algorithm, text.encode()).hexdigest()
                found[digest[:_SHORT]] = f"{algorithm} of {name}"
    return found


class Search:
    """Looks for secrets, by name, and for the digests of them."""

    def __init__(self, secrets, **more):
        self._digests = digests({**secrets, **more})

    def leaks(self, text):
        """Return the places of a text that show a secret, each with what is around it."""
        if isinstance(text, bytes):
            text = text.decode("utf-8", "replace")
        told = {text[max(0, one.start() - 30) : one.end() + 50] for one in FORMS.finditer(text)}
        guessed = {self._digests[one[0][:_SHORT].lower()] for one in _DIGEST.finditer(text) if self._known(one[0])}
        return sorted(told | guessed)

    def _known(self, digits):
        return digits[:_SHORT].lower() in self._digests

    def kept(self, *folders, but=()):
        """Return the files that show a secret, by path in their folder, with what they show."""
        found = {}
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                name = path.relative_to(folder).as_posix()
                if path.is_file() and name not in but and (shown := [*self._of_file(path), *self.leaks(name)]):
                    found[name] = shown
        return found

    def _of_file(self, path):
        content = path.read_bytes()
        yield from self.leaks(content)
        if content.startswith(b"SQLite format 3"):  # a value may lie on several pages
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
                yield from self.leaks("\n".join(database.iterdump()))
