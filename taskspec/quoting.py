"""Words for a shell: what another chose, as an argument of a command that is to be copied. Runs nothing."""

from shlex import quote


def operand(text: str) -> str:
    """Return a text as the last argument of a command: it is never taken for an option, whatever it begins with."""
    return f"-- {quote(text)}" if text.startswith("-") else quote(text)
