"""Allowing: for what runs may be started while a plan is carried out, and what is left of a budget. Starts nothing.

Each run that the plan may start has its place in the budget from the beginning, so that a further attempt of another
task never takes it. A place that turns out not to be needed is free again.
"""

from collections.abc import Collection

from taskspec.address import Address
from taskspec.errors import LimitError
from taskspec.plan.model import Plan
from taskspec.plan.refusals import Spending
from taskspec.plan.spending import is_counted


class Allowance:
    """How many runs may be started, and whether tokens are left; without a budget, any number.

    `planned`: the addresses for which a saved plan starts runs, and no others get one; None where it is not about one.
    """

    def __init__(self, plan: Plan | None = None, planned: Collection[Address] | None = None) -> None:
        stands = (plan.spending if plan is not None else None) or Spending()
        paid = [change for change in plan.changes if change.paid] if plan is not None else []
        self._planned = planned
        self._max_runs = stands.max_runs
        self._max_tokens = stands.max_tokens
        self._places = {change.address for change in paid}
        self._intents = {change.address for change in paid if is_counted(change)}
        """The places of intents that may prove to have a run: nobody else takes them before that is known."""
        self._runs = stands.runs - len(self._intents)
        self._tokens = stands.tokens

    def refuses(self, address: Address) -> str:
        """Return why no run of an address may be started now; nothing where one may."""
        if self._planned is not None and address not in self._planned:
            return "the saved plan starts none for it; plan again"
        if self._max_tokens is not None and self._tokens >= self._max_tokens:
            return f"the budget's `maxTokens` ({self._max_tokens}) is used up: {self._tokens} tokens were used"
        if address in self._places or self._max_runs is None:
            return ""
        left = self._max_runs - self._runs - len(self._places)
        return "" if left > 0 else f"the budget's `maxRuns` ({self._max_runs}) is used up"

    def take(self, address: Address) -> None:
        """Count a run that is to be started; raise LimitError where none may be."""
        if why := self.refuses(address):
            raise LimitError(f"not started: {why}")
        self._places.discard(address)
        self._intents.discard(address)
        self._runs += 1

    def give_back(self) -> None:
        """Take note that a run which was counted reached no agent."""
        self._runs -= 1

    def doubt(self, address: Address) -> None:
        """Take note that nobody knows whether a run which was counted is there: its place is kept."""
        self._runs -= 1
        self._places.add(address)
        self._intents.add(address)

    def found(self, address: Address) -> None:
        """Count a run that was found on the remote, where it is the one whose place is kept."""
        if address in self._intents:
            self._intents.discard(address)
            self._places.discard(address)
            self._runs += 1

    def leave(self, address: Address) -> None:
        """Take note that no run of an address is started any more because of the plan."""
        if address not in self._intents:
            self._places.discard(address)

    def use(self, tokens: int | None) -> None:
        """Count what a run has used, as far as it tells."""
        self._tokens += tokens or 0
