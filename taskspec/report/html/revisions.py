"""Who asked, and from which commit, as facts on a page. Looks nothing up."""

from collections.abc import Iterator

from taskspec.ci import Revision
from taskspec.report.html.markup import Node, el
from taskspec.report.html.showing import inline


def revision_line(revision: Revision | None) -> Node:
    """Return what is known of a revision in a line; None where nothing is."""
    parts: list[Node] = []
    if revision is None:
        return None
    if revision.author:
        parts.append(inline(revision.author, 80))
    if revision.commit:
        parts.append(
            [
                "commit ",
                el("code", {"title": revision.commit}, inline(revision.commit[:12])),
                " with changed files" if revision.is_dirty else "",
            ]
        )
    if revision.branch:
        parts.append(["branch ", inline(revision.branch, 80)])
    if revision.request is not None:
        parts.append(f"pull request #{revision.request}")
    if revision.job:
        parts.append(el("a", {"href": revision.job, "rel": "noreferrer noopener"}, "CI job"))
    return [[", " if number else "", part] for number, part in enumerate(parts)] or None


def revision_facts(revision: Revision | None) -> Iterator[tuple[str, Node]]:
    """Yield what is known of a revision, each with its name."""
    if revision is None:
        return
    if revision.commit:
        dirty = " with changed files" if revision.is_dirty else ""
        yield "Commit", [el("code", {"title": revision.commit}, inline(revision.commit[:12])), dirty]
    elif revision.is_dirty:
        yield "Commit", "none"
    if revision.branch:
        yield "Branch", inline(revision.branch)
    if revision.author:
        yield "Asked by", inline(revision.author)
    if revision.request is not None:
        yield "Pull request", f"#{revision.request}"
    if revision.job:
        yield "CI job", el("a", {"href": revision.job, "rel": "noreferrer noopener"}, inline(revision.job, 120))
