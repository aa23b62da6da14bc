"""What a task answered before and answers now, in Markdown: the difference first, then both in full, folded."""

from collections.abc import Iterator
from shlex import quote

from taskspec.report.account import Answer, TaskTold
from taskspec.report.markdown.detail import Detail
from taskspec.report.markdown.escaping import code
from taskspec.report.markdown.texts import block, difference, info_of, pretty
from taskspec.report.unwell import is_unwell


def answers(task: TaskTold, detail: Detail, *, replaces: bool) -> Iterator[str]:
    """Yield what there is to say of the answers; `replaces`: nothing is done yet, and the old one stands to be."""
    before, after = task.before, task.after
    if replaces:
        if task.returning is not None:
            yield from _again(before, task.returning, task, detail)
        elif before is not None and task.change is not None and task.change.paid:
            yield folded("The answer that this replaces", before, task, detail)
        elif before is not None and is_unwell(task):
            yield folded("The accepted answer", before, task, detail)
    elif after is before:
        if before is not None:
            said = "The accepted answer, which is still that of" if is_unwell(task) else "The answer, of"
            yield folded(said, before, task, detail)
    elif before is None or after is None:
        if after is not None:
            yield folded("The answer, of", after, task, detail)
        if before is not None:
            yield folded("The answer that is accepted no longer, of", before, task, detail)
    else:
        yield from _both(before, after, task, detail)


def _again(before: Answer | None, after: Answer, task: TaskTold, detail: Detail) -> Iterator[str]:
    """Yield the answer that a plan takes again, against the one that is accepted now."""
    if before is None:
        yield folded("The answer that is accepted again", after, task, detail)
        return
    places = f"in the place of g{before.generation} ({_size(before)})"
    yield f"**Answer**: that of g{after.generation} ({_size(after)}) again, {places}"
    if before.content is not None and after.content is not None:
        yield _compared(before, after, before.content, after.content, detail)
    yield folded("The answer that is accepted again", after, task, detail)
    if detail.both:
        yield folded("The answer that this replaces", before, task, detail)


def _both(before: Answer, after: Answer, task: TaskTold, detail: Detail) -> Iterator[str]:
    yield f"**Answer**: g{after.generation} ({_size(after)}) in the place of g{before.generation} ({_size(before)})"
    if before.content is not None and after.content is not None:
        yield _compared(before, after, before.content, after.content, detail)
    if detail.both or after.content is None or before.content is None:
        yield folded("The new answer, of", after, task, detail)
        yield folded("The old answer, of", before, task, detail)


def _compared(before: Answer, after: Answer, old: str, new: str, detail: Detail) -> str:
    if before.digest == after.digest:
        return "It says the same as before."
    is_json = before.format == after.format == "json"
    sides = (pretty(old, before.format, is_sorted=is_json), pretty(new, after.format, is_sorted=is_json))
    return difference(*sides, detail) or "It differs in ends of lines or the order of keys only."


def folded(said: str, answer: Answer, task: TaskTold, detail: Detail) -> str:
    """Return one answer with its size, and its text folded where that is known."""
    number = f" g{answer.generation}" if said.endswith("of") else f", of g{answer.generation}"
    head = f"{said}{number} ({_size(answer)})"
    command = f"taskspec results {quote(task.address)}"
    if answer is not task.after:  # not the one that is accepted now
        command += f" --generation g{answer.generation}"
    if answer.content is None:
        return f"{head} is not shown here: {code(command)} prints it."
    shown = block(pretty(answer.content, answer.format), detail, command, info_of(answer.format))
    return f"<details><summary>{head}</summary>\n\n{shown}\n\n</details>"


def _size(answer: Answer) -> str:
    return f"{answer.size:,} bytes" if answer.size < 10_000 else f"{answer.size / 1_000:,.0f} kB"
