"""A state goes to another place: whole, once, and also where that was cut. No second truth is ever left behind."""

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from taskspec.documents.places import place_of
from taskspec.errors import LockHeldError, StaleError, StateError, TaskspecError, UnknownCommitError, UsageError
from taskspec.runner.migrating import Wish, migrate
from taskspec.runner.planning import plan, read_state
from taskspec.runner.pulling import pulled
from taskspec.state.migrating import Left, departed
from taskspec.state.sqlite import SqliteState

THERE = "https://state.test/there"
FURTHER = "https://state.test/further"


class Cut(BaseException):
    """The process has died."""


class MortalState(SqliteState):
    """A state whose writes are counted; one of them is the last thing that its process does, or tries to do."""

    deaths = None

    def replace(self, *arguments):
        return self._dying(super().replace, *arguments)

    def commit(self, *arguments):
        return self._dying(super().commit, *arguments)

    def acquire(self, *arguments):
        return self._dying(super().acquire, *arguments)

    def _dying(self, write, *arguments):
        if self.deaths is None:
            return write(*arguments)
        when, self.deaths[0] = self.deaths[0], self.deaths[0] - 1
        if when == 0 and self.deaths[1] == "before":
            raise Cut
        done = write(*arguments)
        if when == 0:
            raise Cut
        return done


def go(ports, to=THERE, *, source=None, approve=lambda migration: True, **more):
    wish = Wish(source=place_of(source) if source else None, target=place_of(to), approve=approve, **more)
    return asyncio.run(migrate(ports.invocation(), ports, wish))


def reading(ports, at=None):
    from taskspec.runner.locating import project_of

    return ports.open_state(project_of(ports.invocation()), read_only=True, at=place_of(at) if at else None)


def held_by(ports, at=None):
    """Return what a place holds: its snapshot, its history and its results."""
    store = reading(ports, at)
    try:
        return store.read(), tuple(store.history()), dict(store.results())
    finally:
        store.close()


def is_usable(ports, at=None):
    store = reading(ports, at)
    try:
        return bool(store.read().records) and departed(next(store.history(limit=1), None)) is None
    finally:
        store.close()


def at_home(ports, place=THERE):
    """Let the project keep its state at a place from now on."""
    ports.home = place_of(place)


@pytest.fixture
def applied(ports):
    """A project with two tasks in several generations, one of which has failed."""
    ports.task("a")
    ports.task("b", "Other.")
    ports.remote.scripts["Other."] = [["failed"]]
    ports.apply()
    ports.task("a", "Two.")
    ports.apply()
    return ports


def test_everything_goes_and_the_old_place_says_where_to(applied):
    before, history, results = held_by(applied)
    done = go(applied)
    after, told, kept = held_by(applied, THERE)
    assert (done.left, after.lineage, after.records, kept) == (Left.COPY, before.lineage, before.records, results)
    assert [entry.note.what for entry in told[:2]] == ["arrived", "migrated"]
    assert told[2:] == history
    old, left, _ = held_by(applied)
    assert (old.records, left) == (before.records, told[1:])
    assert left[0].note.data["to"] == done.target
    assert after.serial == old.serial + 1 == before.serial + 2


def test_whoever_still_uses_the_old_place_is_refused_and_starts_nothing(applied):
    go(applied)
    posts = applied.remote.asked["POST"]
    stories = [
        applied.apply,
        applied.stop,
        lambda: plan(applied.invocation(), applied),
        lambda: read_state(_project(applied), applied),
    ]
    for story in stories:
        with pytest.raises(StaleError, match=r"it was moved to .*/there/.* on 20.* by alice on laptop"):
            story()
    assert applied.remote.asked["POST"] == posts
    with pulled(applied.invocation(), applied, results=True) as text:
        assert '"migrated"' in "".join(text)


def test_the_new_place_goes_on_and_pays_nothing_again(applied):
    go(applied)
    at_home(applied)
    assert applied.apply().paid_runs == 0
    applied.task("a", "Three.")
    assert applied.apply().paid_runs == 1
    applied.home = None
    assert held_by(applied)[0].serial < held_by(applied, THERE)[0].serial


def test_it_can_go_back_and_on_and_the_history_tells_all_of_it(applied):
    go(applied)
    at_home(applied)
    applied.task("a", "Three.")
    applied.apply()
    go(applied, "https://state.test/sales")
    applied.home = None
    assert not is_usable(applied, THERE)
    assert applied.apply().paid_runs == 0
    go(applied, FURTHER)
    whats = [entry.note.what for entry in held_by(applied, FURTHER)[1]]
    assert [what for what in whats if what in {"migrated", "arrived"}] == ["arrived", "migrated"] * 3
    with pytest.raises(StaleError, match="further"):
        applied.apply()
    with pytest.raises(StaleError, match="sales"):
        go(applied, FURTHER, source=THERE)


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("number", range(5))
def test_cut_anywhere_no_second_truth_is_there_and_the_same_command_finishes_it(applied, monkeypatch, number, side):
    truth, history, results = held_by(applied)
    monkeypatch.setattr("runner_ports.SqliteState", MortalState)
    monkeypatch.setattr(MortalState, "deaths", [number, side])
    with pytest.raises(Cut):
        go(applied)
    monkeypatch.setattr(MortalState, "deaths", None)
    there = is_usable(applied, THERE)
    assert not (is_usable(applied) and there)
    left = go(applied).left
    assert (left is Left.NOTHING) == there
    assert not is_usable(applied)
    assert is_usable(applied, THERE)
    snapshot, told, kept = held_by(applied, THERE)
    assert (snapshot.records, told[2:], kept) == (truth.records, history, results)
    assert go(applied).left is Left.NOTHING


@pytest.mark.parametrize("happened", [True, False])
@pytest.mark.parametrize("write", ["replace", "commit"])
def test_a_write_whose_outcome_is_unknown_is_told_and_the_same_command_finds_out(applied, monkeypatch, write, happened):
    class Unsure(SqliteState):
        def _unsure(self, name, arguments):
            if happened:
                getattr(SqliteState, name)(self, *arguments)
            raise UnknownCommitError("Whether it was written is not known.")

        def replace(self, *arguments):
            return self._unsure("replace", arguments) if write == "replace" else super().replace(*arguments)

        def commit(self, *arguments):
            return self._unsure("commit", arguments) if write == "commit" else super().commit(*arguments)

    monkeypatch.setattr("runner_ports.SqliteState", Unsure)
    with pytest.raises(UnknownCommitError) as unknown:
        go(applied)
    assert "The same command" in unknown.value.hint
    monkeypatch.setattr("runner_ports.SqliteState", SqliteState)
    assert not (is_usable(applied) and is_usable(applied, THERE))
    go(applied)
    assert is_usable(applied, THERE)
    assert not is_usable(applied)


def test_what_the_old_place_has_done_since_a_cut_goes_along(applied, monkeypatch):
    monkeypatch.setattr("runner_ports.SqliteState", MortalState)
    monkeypatch.setattr(MortalState, "deaths", [2, "after"])
    with pytest.raises(Cut):
        go(applied)
    monkeypatch.setattr(MortalState, "deaths", None)
    assert not is_usable(applied, THERE)
    applied.task("a", "Three.")
    assert applied.apply().paid_runs == 1
    assert go(applied).left is Left.COPY
    assert held_by(applied, THERE)[0].records == held_by(applied)[0].records


def test_a_new_place_with_another_lineage_is_refused_unless_forced(applied, tmp_path):
    at_home(applied, THERE)
    applied.apply()
    applied.home = None
    other = held_by(applied, THERE)
    with pytest.raises(StaleError, match="of the lineage"):
        go(applied)
    assert held_by(applied, THERE) == other
    assert is_usable(applied)
    assert go(applied, force=True).forced_over
    assert held_by(applied, THERE)[0].serial > other[0].serial
    assert held_by(applied, THERE)[0].records == held_by(applied)[0].records


def test_a_new_place_that_knows_more_than_the_state_is_refused(applied):
    state = applied.folder / ".taskspec/default/state.db"
    older = state.read_bytes()
    go(applied)
    at_home(applied)
    applied.task("a", "Three.")
    applied.apply()
    applied.home = None
    state.write_bytes(older)  # a backup from before the migration
    with pytest.raises(StaleError, match="is older"):
        go(applied)


def test_a_place_that_was_left_is_carried_nowhere_else(applied):
    go(applied)
    with pytest.raises(StaleError, match=r"was moved to .*there"):
        go(applied, FURTHER)


def test_a_new_place_that_has_lost_the_state_gets_it_again_by_force_alone(applied):
    go(applied)
    applied.elsewhere(place_of(THERE)).rename(applied.folder.parent / "gone")
    with pytest.raises(StaleError, match="not the truth any more"):
        go(applied)
    go(applied, force=True)
    assert is_usable(applied, THERE)


def test_where_the_new_place_is_gone_the_old_one_is_used_again_by_force_alone(applied):
    go(applied)
    before = held_by(applied)
    with pytest.raises(UsageError, match="the same place"):
        go(applied, "https://state.test/sales")
    assert go(applied, "https://state.test/sales", force=True, approve=lambda migration: False) is None
    assert held_by(applied) == before
    assert go(applied, "https://state.test/sales", force=True).left is Left.STAY
    assert applied.apply().paid_runs == 0
    with pytest.raises(StaleError, match="lacks what has happened here since"):
        go(applied)


def test_the_same_place_is_refused_however_it_is_spelled(applied):
    link = applied.folder.parent / "linked"
    link.symlink_to(applied.folder)
    for spelled in ("https://state.test/sales", "https://state.test/linked"):
        with pytest.raises(UsageError, match="the same place"):
            go(applied, spelled)
    assert is_usable(applied)


def test_nothing_is_made_where_nothing_is_to_be_carried_or_a_person_says_no(ports):
    with pytest.raises(TaskspecError, match="Nothing is kept"):
        go(ports)
    assert not ports.elsewhere(place_of(THERE)).exists()
    ports.task()
    ports.apply()
    assert go(ports, dry_run=True).left is Left.COPY
    assert not ports.elsewhere(place_of(THERE)).exists()
    assert go(ports, approve=lambda migration: False) is None
    assert not held_by(ports, THERE)[0].records
    assert is_usable(ports)


@pytest.mark.parametrize("which", [None, THERE])
def test_a_lock_that_another_command_holds_is_named(applied, which):
    from runner_ports import HOLDER

    store = applied.open_state(_project(applied), read_only=False, at=place_of(which) if which else None)
    store.acquire(replace(HOLDER, user="bob", pid=77))
    try:
        with pytest.raises(LockHeldError, match="bob"):
            go(applied)
    finally:
        store.close()
    assert is_usable(applied)


def test_a_history_that_somebody_changed_is_carried_nowhere(applied):
    with sqlite3.connect(applied.folder / ".taskspec/default/state.db") as connection:
        connection.execute("UPDATE history SET note = replace(note, 'accepted', 'rejected')")
    connection.close()
    with pytest.raises(StateError, match="was changed, and not by taskspec"):
        go(applied)
    assert not held_by(applied, THERE)[0].records


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("UPDATE results SET content = 'other'", "digest"),
        ("DELETE FROM results", "is missing"),
        ("UPDATE records SET record = replace(record, 'Two.', 'Tho.')", "its records are others"),
        ("DELETE FROM history WHERE id = (SELECT min(id) FROM history)", "its history is another one"),
    ],
)
def test_a_new_place_that_does_not_keep_what_was_written_is_not_trusted(applied, monkeypatch, damage, says):
    class Forgetful(SqliteState):
        def replace(self, *arguments):
            done = super().replace(*arguments)
            with sqlite3.connect(self.capabilities.place) as connection:
                connection.execute(damage)
            connection.close()
            return done

    monkeypatch.setattr("runner_ports.SqliteState", Forgetful)
    with pytest.raises(StateError, match=says):
        go(applied)
    assert is_usable(applied)
    assert not is_usable(applied, THERE)
    monkeypatch.setattr("runner_ports.SqliteState", SqliteState)
    assert go(applied).left in {Left.COPY, Left.MARK}
    assert is_usable(applied, THERE)


def _project(ports):
    from taskspec.runner.locating import project_of

    return project_of(ports.invocation())


def test_the_folder_of_another_place_is_another_folder(ports):
    assert ports.elsewhere(place_of(THERE)) != Path(_project(ports).data_folder)
