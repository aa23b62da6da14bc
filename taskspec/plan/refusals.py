"""What refuses a plan, and how its budget stands, as values. Decides nothing."""

from dataclasses import dataclass
from enum import StrEnum

from taskspec.address import Address
from taskspec.diagnostics import Position


class RefusalKind(StrEnum):
    """What refuses a plan."""

    LIMIT = "limit"
    MISSING = "missing"
    BUDGET = "budget"
    POLICY = "policy"
    RISK = "risk"


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """Something that a plan goes beyond: what is allowed, what was found, of which addresses, and who says so."""

    limit: str
    """Its name: that of the limit, of the field of the budget, of the policy, or the category of risk."""
    allowed: int
    found: int
    addresses: tuple[Address, ...]
    position: Position | None = None
    """Where the documents say so; None for what always holds."""
    kind: RefusalKind = RefusalKind.LIMIT
    message: str = ""
    """What else is to be said: the message of a policy, or why it could not be asked; what a budget has used."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spending:
    """What a budget allows, what is used of it, and what a plan would add. None: any number is allowed."""

    max_runs: int | None = None
    max_tokens: int | None = None
    per: float | None = None
    """How many seconds back it is counted; None: since ever."""
    runs: int = 0
    """Runs that were started."""
    tokens: int = 0
    unknown: int = 0
    """How many of these runs have not told what they used."""
    planned: int = 0
    """Runs that the plan may start, conditional ones counted as certain."""
    estimated: int = 0
    """Tokens that the planned runs may use, as far as that is known."""
    not_estimated: int = 0
    """How many planned runs nothing is known of."""
