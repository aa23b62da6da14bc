"""The `Link` header of an answer: where a list goes on (RFC 8288). Follows no link."""

import re

_PIECE = re.compile(
    r"""<(?P<target>[^<>]*)>                       # where to
      | ;\s*(?P<name>[^\s=;,<>"]+)\s*              # ; a parameter
        (?:=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)(?:"|$) | (?P<plain>[^\s;,"<>]*)))?
      | (?P<end>,)                                 # , the next link
    """,
    re.VERBOSE,
)


def next_target(header: str) -> str | None:
    """Return the target of the link whose relations name `next`, or None; the time grows as the header does."""
    target: str | None = None
    for piece in _PIECE.finditer(header):
        if piece["target"] is not None:
            target = piece["target"]
        elif piece["end"]:
            target = None
        elif target is not None and piece["name"].lower() == "rel":
            relations = piece["quoted"] if piece["quoted"] is not None else piece["plain"] or ""
            if "next" in relations.lower().split():
                return target
    return None
