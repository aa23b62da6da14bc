"""What a task asks for, field by field: the prompt first. Secrets are masked before it comes here."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from taskspec.report.html.differing import json_words
from taskspec.report.html.markup import Node, el
from taskspec.report.html.showing import Purse, block, inline

_FIRST: Final = "prompt"
_SHORT: Final = 80


def spec_fields(spec: Mapping[str, Any], purse: Purse, command: str) -> Iterator[Node]:
    """Yield all fields of a spec: short ones in a list, long ones as texts."""
    texts = {name: value if isinstance(value, str) else json_words(value) for name, value in spec.items()}
    long = [name for name, text in texts.items() if name == _FIRST or "\n" in text or len(text) > _SHORT]
    for name in sorted(long, key=lambda name: (name != _FIRST, name)):
        yield el("h5", None, inline(name))
        yield from block(texts[name], purse, command, name=name[:80])
    short = [(name, text) for name, text in texts.items() if name not in long]
    if short:
        yield el(
            "dl",
            {"class": "facts"},
            [el("div", None, el("dt", None, inline(name)), el("dd", None, inline(text))) for name, text in short],
        )
