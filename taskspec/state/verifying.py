"""A history held against its own head, and against one that somebody has kept. Reads no store."""

from dataclasses import dataclass

from taskspec.state.chaining import Chain


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """What was found of a history."""

    chain: Chain
    head: str
    """The head that the state names."""
    shortened: bool
    """The head that the state names is that of no entry: the newest were removed."""
    lengthened: bool
    """There are entries after the head that the state names: they were added by something else."""
    missing: str | None
    """The head that was given, where the history does not have it."""

    @property
    def is_intact(self) -> bool:
        """Tell whether nothing was found to be wrong."""
        return not (self.chain.broken or self.shortened or self.lengthened or self.missing)
