"""The pieces that a writer has kept and no page names, because it was killed or displaced before. Drops none itself."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from taskspec.state.pages import Page


def strays(
    kept: Iterable[tuple[str, float]], page: Page, results: AbstractSet[str], before: float
) -> tuple[list[str], list[str]]:
    """Return the pieces of a page's lineage that it does not name: those from before a moment, and the others.

    The page has to be that of whoever asks, read under their lease after that moment's hour. A piece is named by the
    swap that follows its keeping, or never: so an old one that this page does not name never will be.
    """
    named = {segment.piece for log in page.logs for segment in log.segments} | {name for name, _ in page.waste}
    own = [one for one in kept if one[0].startswith(f"{page.lineage[:8]}-")]
    unnamed = [(name, written) for name, written in own if name not in named and name not in results]
    return [name for name, at in unnamed if at < before], [name for name, at in unnamed if at >= before]
