"""The events of a run until none has come for a while: what there is of one that nobody carries on. Judges none."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")
FIRST, QUIET = 10.0, 1.0
"""How long, in seconds, the first and each further event is waited for."""


async def until_quiet(events: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """Yield events until none has come for a second, or there are no more; then close where they come from."""
    async with aclosing(events):
        patience = FIRST
        while (event := await _next(events, patience)) is not None:
            yield event
            patience = QUIET


async def _next(events: AsyncGenerator[T, None], patience: float) -> T | None:
    try:
        async with asyncio.timeout(patience):
            return await anext(events, None)
    except TimeoutError:
        return None
