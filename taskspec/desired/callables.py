"""The filters and methods whose work a template could blow up, written so that it cannot. Knows no template engine."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from itertools import chain
from typing import Any, Final

from taskspec.desired.converting import b64decode, b64encode, dedent, from_json, sha256, slug, to_json, to_yaml
from taskspec.desired.dating import add_days, add_months, written_date
from taskspec.desired.later import refuse_later
from taskspec.desired.metering import MAX_TEXT, Meter, TooMuchError
from taskspec.desired.scope import WrongTemplateError


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TEXT_METHODS = _words(
    "capitalize casefold count endswith find isalnum isalpha isdigit islower isspace isupper join lower lstrip"
    " partition removeprefix removesuffix replace rfind rpartition rsplit rstrip split splitlines startswith"
    " strip swapcase title upper"
)
_LIST_METHODS = frozenset({"count", "index"})
METHODS: Final[Mapping[type, frozenset[str]]] = {
    str: _TEXT_METHODS,
    list: _LIST_METHODS,
    tuple: _LIST_METHODS,
    dict: frozenset({"get", "items", "keys", "values"}),
}
"""The methods that a template may call, by the type of what stands before the dot."""

_MAX_INDENT = 100
_MAX_PLACES = 15


class Method:
    """A method that a template may call, and may do nothing else with."""

    __slots__ = ("_meter", "_name", "_owner")

    def __init__(self, owner: Any, name: str, meter: Meter) -> None:
        self._owner = owner
        self._name = name
        self._meter = meter

    @property
    def owner(self) -> Any:
        """Return what the method belongs to."""
        return self._owner

    @property
    def looks_inside(self) -> bool:
        """Tell whether what it gives depends on the letters of a text, or on what equals what."""
        return not (isinstance(self._owner, dict) or (isinstance(self._owner, str) and self._name == "join"))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the method, charged by what it works on."""
        self._meter.weigh(self._owner)
        self._meter.weigh(args)
        if isinstance(self._owner, str) and self._name == "replace":
            return replace(self._owner, *args)
        if isinstance(self._owner, str) and self._name == "join":
            return join(args[0] if args else (), self._owner)
        result = getattr(self._owner, self._name)(*args, **kwargs)
        return list(result) if isinstance(self._owner, dict) and self._name != "get" else result

    def __str__(self) -> str:
        raise WrongTemplateError(f"`{self._name}` is a method.", hint=f"Call it: `{self._name}()`.", name=self._name)

    __repr__ = __str__
    __bool__ = __str__


class Function:
    """A function that a template may call, and may do nothing else with."""

    __slots__ = ("_call", "_name")

    def __init__(self, name: str, call: Callable[..., Any]) -> None:
        self._name = name
        self._call = call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        return self._call(*args, **kwargs)

    def __str__(self) -> str:
        raise WrongTemplateError(f"`{self._name}` is a function.", hint=f"Call it: `{self._name}(…)`.", name=self._name)

    __repr__ = __str__
    __bool__ = __str__


def method(owner: Any, name: str, meter: Meter) -> Method | None:
    """Return the method of that name that a template may call; None where there is none."""
    kind = dict if isinstance(owner, dict) else type(owner)
    return Method(owner, name, meter) if name in METHODS.get(kind, ()) else None


def metered(function: Callable[..., Any], meter: Meter) -> Callable[..., Any]:
    """Return a filter that charges what it is given, and gives a list where it would give an iterator."""
    skipped = 1 if hasattr(function, "jinja_pass_arg") else 0

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        for value in chain(args[skipped:], kwargs.values()):
            meter.weigh(value)
        result = function(*args, **kwargs)
        return list(result) if isinstance(result, Iterator) else result

    return run


def certain(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter or a test that is not metered, and refuses what is not known yet."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        refuse_later(*args, *kwargs.values())
        return function(*args, **kwargs)

    return run


def replace(text: Any, old: Any, new: Any, count: int = -1) -> str:
    """Replace a part of a text."""
    whole, part, other = str(text), str(old), str(new)
    if len(whole) + (whole.count(part) if count < 0 else count) * len(other) > MAX_TEXT:
        raise TooMuchError(f"`replace` makes a text of more than {MAX_TEXT:,} characters.")
    return whole.replace(part, other, count)


def join(items: Iterable[Any], between: Any = "") -> str:
    """Put the items of a list together, with a text between them."""
    texts = [str(item) for item in items]
    separator = str(between)
    if sum(map(len, texts)) + len(texts) * len(separator) > MAX_TEXT:
        raise TooMuchError(f"`join` makes a text of more than {MAX_TEXT:,} characters.")
    return separator.join(texts)


def indent(text: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:  # noqa: FBT002 - the engine's own signature
    """Indent the lines of a text, all but the first and the blank ones."""
    margin = width if isinstance(width, str) else " " * min(width, _MAX_INDENT + 1)
    lines = str(text).split("\n")
    if len(margin) > _MAX_INDENT or len(lines) * len(margin) > MAX_TEXT:
        raise TooMuchError(f"`indent` takes at most {_MAX_INDENT} characters, and makes at most {MAX_TEXT:,}.")
    rest = [margin + line if line or blank else line for line in lines[1:]]
    return "\n".join([margin + lines[0] if first else lines[0], *rest])


def rounded(value: Any, places: int = 0) -> Any:
    """Round a number to so many decimal places."""
    if not 0 <= places <= _MAX_PLACES:
        raise WrongTemplateError(f"`round` takes 0 to {_MAX_PLACES} decimal places.")
    return round(value, places)


BOUNDED: Final[Mapping[str, Callable[..., Any]]] = {
    "add_days": add_days,
    "add_months": add_months,
    "b64decode": b64decode,
    "b64encode": b64encode,
    "date": written_date,
    "dedent": dedent,
    "fromjson": from_json,
    "indent": indent,
    "join": join,
    "replace": replace,
    "round": rounded,
    "sha256": sha256,
    "slug": slug,
    "tojson": to_json,
    "toyaml": to_yaml,
}
"""The filters that are ours, by name."""
TAKEN: Final = _words(
    "abs capitalize count d default dictsort first float groupby int items last length list lower map max min reject"
    " rejectattr reverse select selectattr sort string sum title trim truncate unique upper wordcount"
)
"""The filters that are the template engine's own. There are no others."""
TESTS: Final = _words(
    "boolean defined divisibleby eq equalto even false float ge greaterthan gt in integer iterable le lessthan lower lt"
    " mapping ne none number odd sequence string true undefined upper"
) | {"==", "!=", "<", "<=", ">", ">="}
"""The tests (`is …`) that a template may use: none that tells where an object stands in memory."""
