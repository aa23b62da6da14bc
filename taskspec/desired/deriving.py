"""Filters on secrets: in a masked rendering they give a placeholder of what they would give. Shows no secret."""

import hashlib
import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from taskspec.desired.scope import WRONG_VALUES, WrongTemplateError, names_a_secret, placeholder, revealed

DERIVING: Final = frozenset(
    {"b64decode", "b64encode", "dedent", "fromjson", "indent", "sha256", "slug", "tojson", "toyaml", "trim"}
)
"""The filters that may be used on a sensitive variable."""
COMPUTED: Final = "The template computes with a sensitive variable, so what is sent could not be told from the secret."
COMPUTED_HINT: Final = "Insert the variable as it is."
_MAX_SHOWN: Final = 120


class SecretUseError(WrongTemplateError):
    """A filter cannot be used on a sensitive variable; the words hold nothing of it."""


Secrets = dict[str, Any]
"""The secret behind each placeholder, as `scope.placeholders` gives them; filters add theirs."""


def deriving(name: str, function: Callable[..., Any], secrets: Callable[[], Secrets | None]) -> Callable[..., Any]:
    """Return a filter that gives a placeholder for a secret, and notes what stands behind it."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        known = secrets()
        if known is None or not names_a_secret([args, kwargs]):
            return function(*args, **kwargs)
        if name == "trim" and (len(args) > 1 or kwargs):  # what it takes away would tell the letters of a secret
            raise SecretUseError("`trim` takes nothing but blanks from a sensitive variable.", name=name)
        return _derived(name, function, known, args, kwargs)

    return run


def _derived(
    name: str, function: Callable[..., Any], known: Secrets, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    try:
        real = function(*revealed(args, known), **revealed(kwargs, known))
    except (WrongTemplateError, *WRONG_VALUES):
        raise SecretUseError(f"`{name}` cannot work on the value of this sensitive variable.", name=name) from None
    if not isinstance(real, str):
        raise SecretUseError(
            f"`{name}` would show what names there are in a sensitive variable.",
            hint="Declare a variable of type map: its names are shown, its values are not.",
            name=name,
        )
    plain = _plain(function, args, kwargs)
    if plain is not None and revealed(plain, known) == real:
        return plain
    shown = placeholder(_label(name, known, args, kwargs))
    if known.setdefault(shown, real) != real:
        raise SecretUseError(f"`{name}` gives two secrets that could not be told from each other.", name=name)
    return shown


def _plain(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """Return what the filter makes of the placeholders themselves: enough, where it leaves secrets as they are."""
    try:
        found = function(*args, **kwargs)
    except (WrongTemplateError, *WRONG_VALUES):
        return None
    return found if isinstance(found, str) else None


def _label(name: str, known: Secrets, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    value, *more = args
    given = [*map(json.dumps, more), *(f"{key}={json.dumps(one)}" for key, one in kwargs.items())]
    called = f"{name}({', '.join(given)})" if given else name
    if isinstance(value, str) and value in known:
        shown = value
    else:
        shown = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
        if len(shown) > _MAX_SHOWN or "{" in shown:
            shown = f"{shown[:_MAX_SHOWN]}… #{hashlib.sha256(shown.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
        shown = f"'{shown}'"
    return f"{_bare(shown, known)} | {called}"


def _bare(text: str, known: Secrets) -> str:
    """Return a text whose placeholders are no placeholders any more."""
    frame = placeholder("\0").partition("\0")
    for shown in sorted(known, key=len, reverse=True):
        inner = shown.removeprefix(frame[0]).removesuffix(frame[2])
        text = inner if text == shown else text.replace(shown, "{" + inner + "}")
    return text.replace(frame[0], "(")
