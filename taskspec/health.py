"""Health: how an address stands, in one word. Judges nothing."""

from enum import StrEnum


class Health(StrEnum):
    """With its accepted result or on the way to one; or not, and why a person should look."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    NEEDS_INPUT = "needsInput"
    UNKNOWN = "unknown"
