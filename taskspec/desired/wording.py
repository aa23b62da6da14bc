"""What the template engine and Python say of a mistake → words for the author. Knows no place, and shows no value."""

import re
from collections.abc import Callable
from typing import Final

from taskspec.diagnostics import nearest

_Table = tuple[tuple[str, Callable[[re.Match[str]], tuple[str, str]]], ...]
"""Patterns of what is said, and what makes words of it; the first that fits counts."""

_OPERATORS: Final = {
    "&": "Write `and`.",
    "|": "Write `or`.",
    "!": "Write `not`; for another value, `!=`.",
    "?": "Write `a if condition else b`.",
    "$": "Write the name alone: `vars.region`.",
    "=": "Compare with `==`.",
    "‘": "Write straight quotes.",
    "’": "Write straight quotes.",
    "“": "Write straight quotes.",
    "”": "Write straight quotes.",
}
_TAGS: Final = ("call", "filter", "for", "from", "if", "import", "include", "macro", "raw", "set", "with")
_OTHER_TAGS: Final = {
    "foreach": "for",
    "each": "for",
    "unless": "if not",
    "elsif": "elif",
    "elseif": "elif",
    "let": "set",
}
_ENDS: Final = {
    "end of statement block": "the end of the tag",
    "end of print statement": "the end of the expression",
    "end of template": "the end of the template",
    "name": "a name",
    "string": "a text in quotes",
    "integer": "a number",
    "float": "a number",
}
_KINDS: Final = {
    "str": "a text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "a map",
    "NoneType": "nothing",
    "Names": "a map",
    "Macro": "a macro",
    "Function": "a function",
    "Method": "a method",
}


def syntax(said: str) -> tuple[str, str]:
    """Return detail and hint for a complaint of the engine's parser."""
    for pattern, words in _SYNTAX:
        found = re.match(pattern, said, re.IGNORECASE)
        if found is not None:
            return words(found)
    return f"{said[:1].upper()}{said[1:]}.", "See what stands at this place, and before it."


def computation(error: BaseException) -> tuple[str, str]:
    """Return detail and hint for what Python raises when values do not fit."""
    if isinstance(error, ZeroDivisionError):
        return "The template divides by zero.", "Test the divisor first: `a / b if b else 0`."
    said = str(error)
    for pattern, words in _COMPUTATION:
        found = re.search(pattern, said)
        if found is not None:
            return words(found)
    return f"The template cannot be computed: {said}.", "See which values stand at this place."


def is_open(said: str) -> bool:
    """Tell whether a complaint is that a block has no end."""
    return "innermost block that needs to be closed" in said and "end of template" in said


def _unknown_tag(found: re.Match[str]) -> tuple[str, str]:
    tag, block = found["tag"], found["block"]
    if tag.startswith("end"):
        if block:
            return f"`{tag}` stands where the block `{block}` is open.", f"Write `{{% end{block} %}}` first."
        return f"`{tag}` ends no block.", "Remove it, or write the tag that begins the block."
    if tag in {"else", "elif"}:
        return f"`{tag}` stands outside of an `if`.", "Write it between `{% if … %}` and `{% endif %}`."
    if other := _OTHER_TAGS.get(tag.lower()):
        return f"There is no tag `{tag}`.", f"Write `{{% {other} … %}}`."
    return f"There is no tag `{tag}`.", nearest(tag, _TAGS) or f"There are: {', '.join(f'`{one}`' for one in _TAGS)}."


def _character(found: re.Match[str]) -> tuple[str, str]:
    character = found[1]
    if character in {"'", '"'}:
        return f"A text that begins with {character} is not closed.", f"Close it with {character}."
    return f"`{character}` means nothing in a template.", _OPERATORS.get(character, "Put texts in quotes.")


def _expected(found: re.Match[str]) -> tuple[str, str]:
    wanted, got = _named(found["wanted"]), _named(found["got"])
    if "end of" in found["wanted"]:
        way = _OPERATORS.get(found["got"], "")
        way = "Write `elif`." if found["got"] == "if" else way
        way = way or "Put texts in quotes; join values with `~`, and call filters with `|`."
        return f"{got} cannot follow what stands before it." if got.startswith(
            "`"
        ) else f"{_up(got)} cannot stand here.", way
    return f"{_up(wanted)} is missing before {got}.", f"Write {wanted}."


def _named(word: str) -> str:
    return _ENDS.get(word, f"`{word}`")


def _up(words: str) -> str:
    return words[:1].upper() + words[1:]


def _kind(name: str) -> str:
    return _KINDS.get(name, "this")


def _function(name: str) -> str:
    return name.rpartition(".")[2].removeprefix("do_").strip("_")


_SYNTAX: Final[_Table] = (
    (
        r"Unexpected end of template.*innermost block that needs to be closed is '(\w+)'",
        lambda m: (f"This `{m[1]}` is not closed.", f"Write `{{% end{m[1]} %}}` where it ends."),
    ),
    (r"Encountered unknown tag '(?P<tag>\w+)'(?:.*needs to be closed is '(?P<block>\w+)')?", _unknown_tag),
    (r"Unexpected char ['\"](.)['\"] at", _character),
    (
        r"Unexpected '([)\]}])', expected '([)\]}])'",
        lambda m: (f"A `{m[2]}` is missing before this `{m[1]}`.", f"Write the `{m[2]}`."),
    ),
    (r"Unexpected '}'", lambda _: ("A single `}` closes nothing.", "Write `}}`.")),
    (r"Unexpected '([)\]])'", lambda m: (f"This `{m[1]}` closes nothing.", "Remove it.")),
    (
        r"Expected an expression, got 'end of statement block'",
        lambda _: ("An expression is missing here.", "Write a name, a value or a condition."),
    ),
    (
        r"Expected an expression, got 'end of .*'",
        lambda _: ("An expression is missing here.", "Write a name or a value; `{{ '{{' }}` gives two braces."),
    ),
    (
        r"Expected an expression, got '(.*)'",
        lambda m: (f"`{m[1]}` stands where an expression is wanted.", "Write a name or a value there."),
    ),
    (r"Expected name or number", lambda _: ("A name is missing after the dot.", "Write it, or remove the dot.")),
    (r"Expected token '(?P<wanted>.*)', got '(?P<got>.*)'", _expected),
    (r"Missing end of comment tag", lambda _: ("This `{#` is not closed.", "Write `#}` where it ends.")),
)
_COMPUTATION: Final[_Table] = (
    (
        r"can only concatenate (\w+) \(not \"(\w+)\"\)",
        lambda m: (
            f"{_up(_kind(m[1]))} and {_kind(m[2])} cannot be added.",
            "Join texts with `~`; turn a text into a number with `| int`.",
        ),
    ),
    (
        r"unsupported operand type\(s\) for (\S+): '(\w+)' and '(\w+)'",
        lambda m: (
            f"`{m[1]}` does not go with {_kind(m[2])} and {_kind(m[3])}.",
            "Join texts with `~`; turn a text into a number with `| int`.",
        ),
    ),
    (
        r"'(\S+)' not supported between instances of '(\w+)' and '(\w+)'",
        lambda m: (
            f"{_up(_kind(m[2]))} and {_kind(m[3])} cannot be compared by `{m[1]}`.",
            "Turn a text into a number with `| int` or `| float`.",
        ),
    ),
    (
        r"'(\w+)' object is not iterable",
        lambda m: (f"{_up(_kind(m[1]))} has no items to go through.", "Give it a list or a map."),
    ),
    (
        r"object of type '(\w+)' has no len",
        lambda m: (f"{_up(_kind(m[1]))} has no length.", "Give it a text, a list or a map."),
    ),
    (
        r"(\S+?)\(\) missing (?:\d+) required \S+ arguments?: (.*)",
        lambda m: (
            f"`{_function(m[1])}` lacks an argument: {m[2].replace(chr(39), '`')}.",
            "Give it within the parentheses.",
        ),
    ),
    (
        r"(\S+?)\(\) got an unexpected keyword argument '(\w+)'",
        lambda m: (f"`{_function(m[1])}` takes no argument `{m[2]}`.", "Leave it out."),
    ),
    (
        r"(\S+?)\(\) takes (?:from \d+ to )?(\d+) positional arguments?",
        lambda m: (f"`{_function(m[1])}` is given too many arguments.", "Leave some out."),
    ),
    (
        r"macro '(\w+)' takes not more than (\d+) argument",
        lambda m: (
            f"The macro `{m[1]}` takes at most {m[2]} argument{'s' if m[2] != '1' else ''}.",
            "Leave the others out.",
        ),
    ),
    (
        r"macro '(\w+)' takes no keyword argument '(\w+)'",
        lambda m: (f"The macro `{m[1]}` takes no argument `{m[2]}`.", "Leave it out."),
    ),
    (
        r"is not safely callable|object is not callable",
        lambda _: ("What is called here is no function.", "Remove the parentheses."),
    ),
    (
        r"parameter '(\w+)' was not provided",
        lambda m: (
            f"The argument `{m[1]}` of the macro is not given.",
            "Give it, or a default: `{% macro name(argument='') %}`.",
        ),
    ),
)
