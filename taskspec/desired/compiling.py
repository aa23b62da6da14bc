"""Texts → compiled templates: each compiled once, in memory and in the user's cache folder. Renders nothing."""

import marshal
import warnings
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from jinja2 import BytecodeCache, Template, TemplateSyntaxError, nodes
from jinja2 import __version__ as engine_version
from jinja2.bccache import Bucket

from taskspec import caching
from taskspec.desired.compiled import CompiledTemplates
from taskspec.desired.faults import explained
from taskspec.desired.sandbox import Sandbox, bounded
from taskspec.desired.scope import WRONG_VALUES, WrongTemplateError

_DIGITS: Final = 32


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


class Compiler:
    """Compiles for one sandbox; `close` keeps what was compiled for the next time."""

    def __init__(self, environment: Sandbox, cache_folder: Path | None) -> None:
        self._environment = environment
        self._codes: dict[str, Any] = {}
        self._store: CompiledTemplates | None = None
        self._code: _Code | None = None
        if cache_folder is not None:
            self._store = CompiledTemplates(cache_folder, f"{caching.edition().hex()[:_DIGITS]}-{engine_version}")
            self._code = _Code(self._store)

    def close(self) -> None:
        """Write newly compiled code to the cache."""
        if self._store is not None:
            self._store.flush()

    def parsed(self, text: str, file: str = "") -> nodes.Template:
        """Return the syntax tree of a text, or of an included file: with that, its last line break is left out."""
        try:
            return self._environment.parse(text.removesuffix("\n") if file else text)
        except TemplateSyntaxError as error:
            raise explained(error, line=error.lineno, file=file) from error
        except WRONG_VALUES as error:
            raise _no_template(file) from error

    def template(self, text: str, file: str = "", *, keep: bool = True) -> Template:
        """Return a template that was never used; `file` is the path of an included one.

        Without `keep` nothing of it comes into the cache folder.
        """
        key = f"text\0{file}\0{text}"
        code = self._codes.get(key)
        if code is None:

            def make() -> Any:
                return self._compiled(self.parsed(text, file), file)

            code = self._codes[key] = self._kept(key, make) if keep else make()
        return self._template(code)

    def expression(self, expression: nodes.Expr, key: str) -> Template:
        """Return a template that leaves the value of an expression; `key` tells it from every other."""
        tree = nodes.Template([nodes.Output([expression], lineno=expression.lineno)], lineno=1)
        return self._template(self._kept(f"expression\0{key}", lambda: self._compiled(tree, "")))

    def _template(self, code: Any) -> Template:
        environment = self._environment
        return environment.template_class.from_code(environment, code, environment.functions, None)

    def _kept(self, key: str, make: Any) -> Any:
        if self._code is None:
            return make()
        bucket = self._code.get_bucket(self._environment, key, None, key)
        if bucket.code is None:
            bucket.code = make()
            self._code.set_bucket(bucket)
        return bucket.code

    def _compiled(self, tree: nodes.Template, file: str) -> Any:
        try:
            tree = bounded(tree, is_part=bool(file))
            tree.set_environment(self._environment)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)  # of `1[2:3]`, which fails in its own words
                return self._environment.compile(tree, file or None, f"<template {file}>")
        except TemplateSyntaxError as error:
            raise explained(error, line=error.lineno, file=file) from error
        except WrongTemplateError as fault:
            fault.file = file
            raise
        except (SyntaxError, *WRONG_VALUES) as error:
            raise _no_template(file) from error


def _no_template(file: str) -> WrongTemplateError:
    fault = WrongTemplateError("The template is nested too deeply, or is no template.")
    fault.file = file
    return fault
