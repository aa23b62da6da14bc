"""Rendering of texts: compiled once each, in memory and in the user's cache folder. Knows no manifest.

Together with `sandbox` the only place that knows jinja2.
"""

import marshal
import math
import re
import sys
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from jinja2 import BytecodeCache, Template, TemplateError, TemplateSyntaxError, Undefined
from jinja2 import __version__ as engine_version
from jinja2.bccache import Bucket

import taskspec
from taskspec.desired.callables import BOUNDED, TAKEN, TESTS
from taskspec.desired.compiled import CompiledTemplates
from taskspec.desired.cutting import Piece, cut
from taskspec.desired.metering import MAX_TEXT, Meter, TooMuchError
from taskspec.desired.sandbox import VALUE, Sandbox, UnknownNameError, bounded
from taskspec.desired.scope import WrongTemplateError
from taskspec.diagnostics import nearest
from taskspec.documents.fitting import is_text

_SCHEME: Final = 1  # counts changes of what is compiled from the same text
_FILENAME: Final = "<template>"
_AS_TEXT: Final = "{{ '' }}"
"""Put behind an expression that is a piece of a text: so it gives its text, and not its value."""
_SEEN: Final = 8
"""Units of work of one value that a single expression gives."""
_WRONG_VALUES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RecursionError,
    MemoryError,
)


class _Code(BytecodeCache):
    """jinja2's own way to keep compiled templates, over our store."""

    def __init__(self, store: CompiledTemplates) -> None:
        self._store = store

    def get_cache_key(self, name: str, filename: str | None = None) -> str:  # noqa: ARG002 - jinja2's signature
        return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()

    def get_source_checksum(self, source: str) -> str:
        return self.get_cache_key(source)

    def load_bytecode(self, bucket: Bucket) -> None:
        found = self._store.get(bucket.key)
        if found is not None:
            bucket.code = marshal.loads(found)  # noqa: S302 - the store hands out nothing that others could write

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._store.put(bucket.key, marshal.dumps(bucket.code))


class Renderer:
    """Renders texts; `close` keeps what was compiled for the next time."""

    def __init__(self, cache_folder: Path | None) -> None:
        self._meter = Meter()
        self._environment = Sandbox(self._meter)
        self._templates: dict[str, Template] = {}
        self._store: CompiledTemplates | None = None
        self._code: _Code | None = None
        if cache_folder is not None:
            version = f"{taskspec.__version__}-{engine_version}-{sys.implementation.cache_tag}-{_SCHEME}"
            self._store = CompiledTemplates(cache_folder, version)
            self._code = _Code(self._store)

    def close(self) -> None:
        """Write newly compiled code to the cache."""
        if self._store is not None:
            self._store.flush()

    def render(self, text: str, names: dict[str, Any]) -> Any:
        """Return the rendered text, or the value itself where the text is one single expression.

        Raises WrongTemplateError, with the line within the text.
        """
        pieces = cut(text)
        if pieces is not None and (found := self._pieced(pieces, names)) is not None:
            return found
        self._meter.restart()
        template = self._known(text)
        try:
            return _run(template, names, self._meter)
        except WrongTemplateError as error:
            error.line = _line(template, error.__traceback__)
            raise
        except UnknownNameError as error:
            fault = error.fault(names)
            fault.line = _line(template, error.__traceback__)
            raise fault from error
        except TemplateError as error:
            raise _fault(error, _line(template, error.__traceback__)) from error
        except _WRONG_VALUES as error:
            raise WrongTemplateError(
                f"The template cannot be computed: {error}.", line=_line(template, error.__traceback__)
            ) from error

    def _pieced(self, pieces: Sequence[Piece], names: dict[str, Any]) -> str | None:
        """Return the pieces rendered, put together; None where one cannot be: the whole then tells why."""
        self._meter.restart()
        parts: list[str] = []
        line = 0
        for piece in pieces:
            if piece.is_markup:
                try:
                    parts.append(self._piece(piece.text + _AS_TEXT, names, line))
                except TooMuchError:
                    raise
                except (WrongTemplateError, TemplateError, *_WRONG_VALUES):
                    return None
            else:
                parts.append(piece.text)
            line += piece.text.count("\n")
        return "".join(parts) if sum(map(len, parts)) <= MAX_TEXT else None

    def _piece(self, text: str, names: dict[str, Any], line: int) -> Any:
        template = self._known(text)
        try:
            return _run(template, names, self._meter)
        except TooMuchError as error:
            error.line = _line(template, error.__traceback__) + line
            raise

    def _known(self, text: str) -> Template:
        template = self._templates.get(text)
        if template is None:
            template = self._templates[text] = self._loaded(text)
        return template

    def _loaded(self, text: str) -> Template:
        if self._code is None:
            return self._template(self._compiled(text))
        bucket = self._code.get_bucket(self._environment, text, None, text)
        if bucket.code is None:
            bucket.code = self._compiled(text)
            self._code.set_bucket(bucket)
        return self._template(bucket.code)

    def _template(self, code: Any) -> Template:
        return self._environment.template_class.from_code(self._environment, code, {}, None)

    def _compiled(self, text: str) -> Any:
        try:
            tree = bounded(self._environment.parse(text))
            tree.set_environment(self._environment)
            return self._environment.compile(tree, None, _FILENAME)
        except TemplateSyntaxError as error:
            raise _fault(error, error.lineno) from error
        except (SyntaxError, *_WRONG_VALUES) as error:
            raise WrongTemplateError("The template is nested too deeply, or is no template.") from error


def _run(template: Template, names: dict[str, Any], meter: Meter) -> Any:
    context = template.new_context(names, shared=True)
    length = 0
    parts = []
    for part in template.root_render_func(context):
        length += len(part)
        if length > MAX_TEXT:
            raise TooMuchError(f"The text is longer than {MAX_TEXT:,} characters.")
        parts.append(part)
    found = _plain(context.vars[VALUE], meter) if VALUE in context.vars else "".join(parts)
    if not is_text(found):
        raise WrongTemplateError("The template gives half of a character (an unpaired surrogate).")
    return found


def _plain(value: Any, meter: Meter) -> Any:
    meter.charge(_SEEN)  # what stands in a value many times is copied as often
    if type(value) is Undefined:
        return None
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item, meter) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, meter) for item in value]
    str(value)
    raise WrongTemplateError("The expression gives something that is not a text, a number, a list or a map.")


def _line(template: Template, trace: TracebackType | None) -> int:
    found = 1
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == _FILENAME:
            found = template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return found


def _fault(error: TemplateError, line: int) -> WrongTemplateError:
    said = (error.message or "The template is not valid.").strip().removesuffix(".")
    absent = re.match(r"No (filter|test) named '(\w+)'", said)
    if absent is None:
        return WrongTemplateError(f"{said[:1].upper()}{said[1:]}.", line=line)
    known = TESTS if absent[1] == "test" else TAKEN | BOUNDED.keys()
    hint = nearest(absent[2], known) or f"There are: {', '.join(sorted(known))}."
    return WrongTemplateError(f"There is no {absent[1]} `{absent[2]}`.", hint=hint, line=line, name=absent[2])
