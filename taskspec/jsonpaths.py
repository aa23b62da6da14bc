"""JSON paths (RFC 9535), wrapped once: what a path selects in a value. Fetches nothing, and knows no document."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from jsonpath import JSONPath, JSONPathEnvironment, JSONPathMatch

LONGEST: Final = 1_000
"""How many characters a path may have."""
MAX_WORK: Final = 300_000
"""How much one selection may do: a value that is looked at is 1, and so are four that it holds."""
MAX_SELECTED: Final = 10_000
"""How many values a path may select."""
_DEEPEST: Final = 200
_WORK: Final = "work"
_MATCHING: Final = frozenset({"match", "search"})
"""Functions of the RFC that are left out: their regular expressions are not matched in linear time."""


class WrongPathError(ValueError):
    """A path cannot be read, or takes too much work; `column` (from 1) is a place in its text."""

    def __init__(self, message: str, *, column: int = 1, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.column = column
        self.hint = hint


class Work:
    """How much selecting may still do; several selections may share one."""

    __slots__ = ("left",)

    def __init__(self, left: int = MAX_WORK) -> None:
        self.left = left

    def spend(self, amount: int) -> None:
        """Take some work off; raise WrongPathError where none is left."""
        self.left -= amount
        if self.left < 0:
            raise WrongPathError("It takes too much work.")


class Selected(NamedTuple):
    """A value that a path selects, and the one place where it stands, such as `$['total']`."""

    path: str
    value: Any


class JsonPath:
    """A path that was read."""

    __slots__ = ("_path", "text")

    def __init__(self, text: str) -> None:
        """Read a path; raise WrongPathError where it is none."""
        self.text = text
        self._path = _read(text)

    def select(self, value: Any, work: Work | None = None) -> list[Selected]:
        """Return what the path selects in a JSON value, in order; raise WrongPathError where that is too much."""
        from jsonpath import JSONPathError

        # By its segments, because the library takes a value that is a text for a document that is still to be parsed.
        context = {_WORK: work or Work()}
        nodes: Any = (_nodes()(filter_context=context, obj=value, parent=None, path="$", parts=(), root=value),)
        try:
            for segment in self._path.segments:
                nodes = segment.resolve(nodes)
            found = [Selected(node.path, node.obj) for node, _ in zip(nodes, range(MAX_SELECTED + 1), strict=False)]
        except (JSONPathError, RecursionError) as trouble:
            raise WrongPathError("It leads too deep into the value.") from trouble
        if len(found) > MAX_SELECTED:
            raise WrongPathError(f"It selects more than {MAX_SELECTED:,} values.")
        return found


@cache
def _nodes() -> "type[JSONPathMatch]":
    """Return the class of nodes that pay for what they hold: the filter context goes from node to node."""
    from jsonpath import JSONPathMatch

    class Node(JSONPathMatch):
        __slots__ = ()

        def __init__(self, **known: Any) -> None:
            super().__init__(**known)
            held = len(self.obj) // 4 if isinstance(self.obj, list | Mapping) else 0
            known["filter_context"][_WORK].spend(1 + held)

        def add_child(self, *children: JSONPathMatch) -> None:
            """Keep no children: nobody asks for them."""

    return Node


@cache
def _environment() -> "JSONPathEnvironment":
    from jsonpath import JSONPathEnvironment

    class Environment(JSONPathEnvironment):
        max_recursion_depth = _DEEPEST

        def setup_function_extensions(self) -> None:
            super().setup_function_extensions()
            for name in _MATCHING:
                del self.function_extensions[name]

        def getitem(self, obj: Any, key: Any) -> Any:
            """Return items of lists and maps; a text has none here, whatever Python says."""
            return () if isinstance(obj, str) else super().getitem(obj, key)

    return Environment(strict=True)


def _read(text: str) -> "JSONPath":
    from jsonpath import JSONPath, JSONPathError
    from jsonpath.exceptions import JSONPathNameError

    if len(text) > LONGEST:
        raise WrongPathError(f"A path may have at most {LONGEST:,} characters.")
    if not text.startswith("$"):
        steps = ".".join(step for step in text.strip().split("/") if step).lstrip(".")
        steps = steps.removeprefix("json.").removeprefix("value.")
        raise WrongPathError("A path begins with `$`.", hint=f"Write `$.{steps}`." if steps else _EXAMPLE)
    try:
        path = _environment().compile(text)
    except JSONPathNameError as trouble:
        name = text[_column(trouble, text) - 1 :].partition("(")[0].strip()
        hint = "Select the values, and write `expr: matches(value, …)`." if name in _MATCHING else ""
        message = f"There is no function `{name}` here."
        raise WrongPathError(message, column=_column(trouble, text), hint=hint) from trouble
    except (JSONPathError, RecursionError, ValueError, IndexError) as trouble:
        message = f"It cannot be read: {trouble.args[0]}." if trouble.args else "It cannot be read."
        raise WrongPathError(message, column=_column(trouble, text), hint=_EXAMPLE) from trouble
    if not isinstance(path, JSONPath):
        raise WrongPathError("It is more than one path.", hint=_EXAMPLE)
    for query in _queries(path):
        if not query.singular_query():
            raise WrongPathError(
                "A filter looks at many values for each one that it tests.",
                column=text.find("?") + 1,
                hint="Name single values within a filter, such as `@.price`, or write an `expr`.",
            )
    return path


_EXAMPLE: Final = "Write, for example, `$.total` or `$.items[*].price`."


def _queries(path: "JSONPath") -> "Iterator[JSONPath]":
    """Yield the paths within the filters of a path."""
    from jsonpath.filter import BaseExpression, FilterQuery
    from jsonpath.selectors import Filter

    waiting: list[BaseExpression] = [
        selector.expression
        for segment in path.segments
        for selector in segment.selectors
        if isinstance(selector, Filter)
    ]
    while waiting:
        expression = waiting.pop()
        if isinstance(expression, FilterQuery):
            yield expression.path
        waiting += expression.children()


def _column(trouble: Exception, text: str) -> int:
    index = getattr(getattr(trouble, "token", None), "index", 0)
    return len(text) + 1 if index < 0 else min(int(index), len(text)) + 1  # a negative one is the library's end
