"""A secret out of text that others wrote: a remote may send back the key that it was given. Knows no remote."""

SHORTEST = 8
"""A shorter secret is not looked for: it would be found everywhere."""


def without(secret: str, content: bytes) -> bytes:
    """Return the content with every copy of a secret replaced."""
    return content.replace(secret.encode(), b"[key]") if len(secret) >= SHORTEST else content


def reason_of(error: Exception, secret: str) -> str:
    """Return an exception's own words without a secret, or its name where it has none."""
    text = without(secret, str(error).encode(errors="replace"))
    return text.decode(errors="replace") or type(error).__name__
