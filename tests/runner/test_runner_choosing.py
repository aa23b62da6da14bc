"""What a story is about: selected, bounded by the file that was named, and refused where it can only be a mistake."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "plan"))

from plan_worlds import desired, record, task

from taskspec.errors import UsageError
from taskspec.runner import preparing, telling
from taskspec.runner.choosing import choose, require_some
from taskspec.runner.planning import selected_tasks
from taskspec.runner.preparing import prepare
from taskspec.selecting.parsing import parse


def uses(known, *upstream, **labels):
    return replace(known, upstream=upstream, labels=labels)


DECLARED = desired(
    task("extract"),
    uses(task("report[q1]"), "extract", team="growth"),
    uses(task("report[q2]", "B"), "extract", team="sales"),
    uses(task("summary"), "report[q1]", "report[q2]"),
)
RECORDS = {held.address: held for held in (record("extract"), record("report[q2]"), record("report[q3]"))}


def chosen(*words, exclude=(), scope=None):
    return choose(parse(words, exclude), DECLARED, RECORDS, scope)


def test_no_selector_selects_everything():
    assert chosen() is None


def test_the_graph_and_the_state_are_followed_together():
    assert chosen("state:changed+") == {"report[q2]", "summary"}
    assert chosen("1+summary,label:team=growth") == {"report[q1]"}


def test_the_file_that_was_named_is_a_bound_with_its_cells_that_are_gone():
    assert chosen(scope=frozenset({"report"})) == {"report[q1]", "report[q2]", "report[q3]"}
    assert chosen("+summary", scope=frozenset({"report"})) == {"report[q1]", "report[q2]"}


@pytest.mark.parametrize(
    ("word", "told", "hint"),
    [
        ("repot", "`repot` is neither declared nor recorded", "`report`"),
        ("report[q9]", "`report[q9]` is neither declared nor recorded", "`report[q"),
        ("+label:team=growht", "No task fits `label:team=growht`", "`label:team=growth`"),
        ("file:task.yaml", "No task fits `file:task.yaml`", "`file:tasks.yaml`"),
        ("repot[*]", "No task fits `repot[*]`", "`report`"),
    ],
)
def test_what_can_only_be_a_mistake_is_refused_with_the_nearest(word, told, hint, monkeypatch):
    monkeypatch.setattr(Path, "cwd", lambda: Path("/p"))
    for words, exclude in (((word,), ()), (("summary", word), ()), ((), (word,))):
        with pytest.raises(UsageError) as raised:
            chosen(*words, exclude=exclude)
        assert told in raised.value.message
        assert hint in raised.value.hint


def test_what_changes_something_needs_something_selected():
    require_some(parse([]), None)
    require_some(parse(["summary"]), chosen("summary"))
    with pytest.raises(UsageError, match="No task is selected by `state:unchanged,summary`"):
        require_some(parse(["state:unchanged,summary"]), chosen("state:unchanged,summary"))


def test_the_state_is_opened_only_where_a_selector_asks_for_it(ports, monkeypatch):
    ports.task()
    ports.task("b", "Other.")
    ports.apply("a")
    opened, open_state = [], ports.open_state
    monkeypatch.setattr(ports, "open_state", lambda *given, **more: opened.append(given) or open_state(*given, **more))
    prepared = prepare(ports.invocation(), ports)
    assert list(selected_tasks(prepared, ports.invocation(), ports)) == ["a", "b"]
    assert list(selected_tasks(prepared, ports.invocation("?"), ports)) == ["a", "b"]
    assert not opened
    assert list(selected_tasks(prepared, ports.invocation("state:new"), ports)) == ["b"]
    assert opened


def test_an_apply_of_what_has_changed_starts_nothing_else(ports):
    ports.task()
    ports.task("b", "Other.")
    ports.apply("a")
    ports.task("a", "Rewritten.")
    ports.apply("state:changed")
    assert set(ports.finished()) == {"a"}
    assert len(ports.remote.runs) == 2
    with pytest.raises(UsageError, match="No task is selected"):
        ports.apply("state:changed")


def test_the_upstream_of_what_was_never_applied_can_be_looked_at(ports, monkeypatch):
    ports.task()
    ports.task("b", "Other.")
    ports.apply("a")
    resolved = preparing.resolve

    def resolve(*given):
        known, found = resolved(*given)
        return replace(known, tasks={**known.tasks, "b": replace(known.tasks["b"], upstream=("a",))}), found

    monkeypatch.setattr(preparing, "resolve", resolve)
    with telling.results(ports.invocation("+b"), ports) as opened:
        assert opened.selected == ("a",)
    for words in (("b",), ("b", "label:x"), ("b", "state:unchanged")):
        with (
            pytest.raises(UsageError, match="`b` has never been applied"),
            telling.results(ports.invocation(*words), ports),
        ):
            pass
    assert {one.address for one in asyncio.run(telling.status(ports.invocation("a+"), ports, print))} == {"a", "b"}
