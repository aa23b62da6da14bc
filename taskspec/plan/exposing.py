"""Secrets that a run shows to its agent, where they were not before. Sees masked specs alone, and repeats no secret."""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any, Final

from taskspec.diagnostics import path_text
from taskspec.plan.model import Declared, Risk, RiskCategory

KEPT: Final = frozenset({"userTokens", "userOidcToken"})
"""Fields that are made for secrets."""
_KEPT_OF_A_SERVER: Final = frozenset(
    {"headers", "env", "env_vars", "envVars", "api_key", "apiKey", "client_secret", "clientSecret"}
)
_MARK: Final = "(sensitive: "
_PLACEHOLDER: Final = re.compile(r"\(sensitive: (?:vars\.)?(\w+)[^()]*\)")
_SECRET_NAME: Final = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY|AUTH|(?:^|_)(?:KEY|PAT|PWD|DSN)(?:_|$)",
    re.IGNORECASE,
)
_SHORTEST: Final = 6
"""A value of fewer characters may stand anywhere by chance."""
_VARIABLE: Final = re.compile(r"\bvars(?:\.(\w+)|\[['\"](\w+)['\"]\])")
_ENVIRON: Final = re.compile(r"\benv(?:\.(\w+)|\[['\"](\w+)['\"]\])")

_Path = tuple[str | int, ...]


def exposed(
    before: Mapping[str, Any], task: Declared, environ: Mapping[str, str], sensitive: Collection[str]
) -> Iterator[Risk]:
    """Yield what the agent sees of secrets, and did not by what was sent last."""
    told: dict[tuple[object, str], None] = {}
    old = [*_texts(before)]
    known = {(path[0], name) for path, text in old for name in _named(text, environ, sensitive)}
    for path, text in _texts(task.spec):
        for name, what in _named(text, environ, sensitive).items():
            if (path[0], name) not in known and (path[0], name) not in told:
                told[path[0], name] = None
                yield _risk(task, path, f"{what} stands in `{path_text(path)}`, which the agent reads")
    now = dict(_texts(task.spec))
    for path, text in old:
        if path in now and (name := _replaced(text, now[path])):
            said = f"`{path_text(path)}` held the secret `{name}`, and holds other text in its place, which is shown"
            yield _risk(task, path, said)


def _risk(task: Declared, path: _Path, text: str) -> Risk:
    return Risk(category=RiskCategory.SECRET_EXPOSED, text=text, path=path, place=partial(task.source.position, path))


def _named(text: str, environ: Mapping[str, str], sensitive: Collection[str]) -> Mapping[str, str]:
    """Return the secrets that a text shows, by name, each with the words for it."""
    hidden = _PLACEHOLDER.findall(text) if _MARK in text else ()
    found = {f"vars.{name}": f"the sensitive `vars.{name}`" for name in hidden}
    is_template = "{{" in text or "{%" in text
    if is_template:
        names = (one[1] or one[2] for one in _VARIABLE.finditer(text))
        found |= {f"vars.{name}": f"the sensitive `vars.{name}`" for name in names if name in sensitive}
    asked = {one[1] or one[2] for one in _ENVIRON.finditer(text)} if is_template else set()
    for name, value in environ.items():
        if _SECRET_NAME.search(name) and (name in asked or (len(value) >= _SHORTEST and value in text)):
            found[f"env.{name}"] = f"the environment variable `{name}`, by its name a secret,"
    return found


def _replaced(before: str, after: str) -> str:
    """Return the name of a secret in whose place there is other text now; nothing where it was only left out."""
    gone = [one for one in _PLACEHOLDER.finditer(before) if one[0] not in after]
    if not gone or before == after:
        return ""
    words = set(_PLACEHOLDER.sub(" ", before).split())
    return f"vars.{gone[0][1]}" if set(_PLACEHOLDER.sub(" ", after).split()) - words else ""


def _texts(spec: Mapping[str, Any]) -> Iterator[tuple[_Path, str]]:
    """Yield every text of a spec that an agent or a tool reads, with its path: not those where secrets belong."""
    for name, value in spec.items():
        if name not in KEPT:
            yield from _within((name,), value)


def _within(path: _Path, value: Any) -> Iterator[tuple[_Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        hidden = _KEPT_OF_A_SERVER if path[0] == "mcpServers" and len(path) == 2 else ()
        for name, item in value.items():
            if name not in hidden:
                yield from _within((*path, name), item)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _within((*path, index), item)
