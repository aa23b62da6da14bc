"""The commands that show what a report leaves out, ready to be copied. Runs none."""

from dataclasses import dataclass
from shlex import quote

from taskspec.report.text import visible
from taskspec.settings import DEFAULT_ENVIRONMENT


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands of a project's environment."""

    environment: str

    def of(self, command: str, address: str = "") -> str:
        """Return a command line that is about an address, or about all."""
        aimed = "" if self.environment in {"", DEFAULT_ENVIRONMENT} else f" --env {quote(self.environment)}"
        return visible(f"taskspec {command}{aimed}{f' {quote(address)}' if address else ''}")
