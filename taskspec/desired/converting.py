"""The filters that turn values into texts of a form, and back. What they complain of never repeats the value."""

import base64
import binascii
import hashlib
import json
import math
import re
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any, Final, NoReturn

from taskspec.desired.metering import MAX_TEXT, TooMuchError
from taskspec.desired.scope import WrongTemplateError

MAX_INDENT_OF_JSON: Final = 15
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./@-]*(?: [A-Za-z0-9_./@-]+)*")
_TAKEN_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_JSON: Final = "In JSON, texts and names stand in double quotes."


def to_json(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON: keys sorted, characters as they are."""
    if indent is not None and not 0 <= indent <= MAX_INDENT_OF_JSON:
        raise WrongTemplateError(f"`tojson` indents by 0 to {MAX_INDENT_OF_JSON} spaces.")
    encoder = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False, indent=indent)
    if indent is None:
        return encoder.encode(value)
    return "".join(_fitting("tojson", encoder.iterencode(value)))


def from_json(text: Any) -> Any:
    """Return the value that a JSON text stands for."""
    if not isinstance(text, str):
        raise WrongTemplateError("`fromjson` takes a text.", name="fromjson")
    try:
        return json.loads(text, object_pairs_hook=_map, parse_float=_number, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise WrongTemplateError(
            f"The text is not JSON: {error.msg}, at its {place}.", hint=_JSON, name="fromjson"
        ) from None
    except RecursionError:
        raise WrongTemplateError("The JSON is nested too deeply.", name="fromjson") from None
    except ValueError:
        raise WrongTemplateError("The JSON holds a number that is too long.", name="fromjson") from None


def to_yaml(value: Any) -> str:
    """Return a value as YAML: keys sorted, one line each, no line break at the end."""
    return "".join(_fitting("toyaml", _yaml(value, "")))


def b64encode(value: Any) -> str:
    """Return a text, as UTF-8, in Base64."""
    return base64.b64encode(_bytes("b64encode", value)).decode("ascii")


def b64decode(value: Any) -> str:
    """Return the UTF-8 text that stands in Base64."""
    try:
        return base64.b64decode(_bytes("b64decode", value), validate=True).decode()
    except binascii.Error:
        raise WrongTemplateError("The text is not Base64.", name="b64decode") from None
    except UnicodeDecodeError:
        raise WrongTemplateError("What stands in Base64 is not a text (UTF-8).", name="b64decode") from None


def sha256(value: Any) -> str:
    """Return the SHA-256 of a text, as UTF-8, in hexadecimal digits."""
    return hashlib.sha256(_bytes("sha256", value)).hexdigest()


def dedent(value: Any) -> str:
    """Take away the indentation that all lines of a text have in common."""
    return textwrap.dedent(_text("dedent", value))


def slug(value: Any) -> str:
    """Return a text as lower-case words of `a` to `z` and digits, with `-` between them."""
    plain = unicodedata.normalize("NFKD", str(value)).encode("ascii", "ignore").decode()
    found = re.sub("[^a-z0-9]+", "-", plain.lower()).strip("-")
    if not found:
        raise WrongTemplateError("`slug` finds neither a letter of `a` to `z` nor a digit in the text.", name="slug")
    return found


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise WrongTemplateError(
            f"`{name}` takes a text.",
            hint=f"Write `| string | {name}`, or `| tojson | {name}`.",
            name=name,
        )
    return value


def _bytes(name: str, value: Any) -> bytes:
    found = _text(name, value).encode("utf-8", "surrogatepass")
    if len(found) > MAX_TEXT * 3 // 4:
        raise TooMuchError(f"`{name}` takes at most {MAX_TEXT * 3 // 4:,} bytes.")
    return found


def _map(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise WrongTemplateError("The JSON has a key twice in one map.", name="fromjson")
    return found


def _number(text: str) -> float:
    found = float(text)
    if not math.isfinite(found):
        raise WrongTemplateError("The JSON holds a number that is too large.", name="fromjson")
    return found


def _no_constant(text: str) -> NoReturn:
    raise WrongTemplateError(f"The text is not JSON: `{text}` is no number there.", hint=_JSON, name="fromjson")


def _fitting(name: str, pieces: Iterable[str]) -> Iterator[str]:
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > MAX_TEXT:
            raise TooMuchError(f"`{name}` makes a text of more than {MAX_TEXT:,} characters.")
        yield piece


def _yaml(value: Any, margin: str) -> Iterator[str]:
    """Yield a value as YAML; `margin` stands before each line but the first."""
    if isinstance(value, dict) and value:
        between = ""
        for key, item in sorted(((str(key), item) for key, item in value.items()), key=itemgetter(0)):
            yield f"{between}{_scalar(key)}:"
            between = f"\n{margin}"
            if isinstance(item, dict | list | tuple) and item:
                deeper = f"{margin}  " if isinstance(item, dict) else margin
                yield f"\n{deeper}"
                yield from _yaml(item, deeper)
            else:
                yield f" {_scalar(item)}"
    elif isinstance(value, list | tuple) and value:
        between = ""
        for item in value:
            yield f"{between}- "
            between = f"\n{margin}"
            yield from _yaml(item, f"{margin}  ")
    else:
        yield _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _TAKEN_WORDS:
        return value
    if isinstance(value, tuple):
        return "[]"
    written = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", written)
