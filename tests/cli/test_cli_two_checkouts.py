"""Several projects and checkouts on one agent, and a project whose remote changed: nobody touches another's runs."""

import pytest
from commanded_remote import Checkout, CommandedRemote
from kept_state import records_in


class Both:
    """Two checkouts of one project, each with a state of its own, on one remote."""

    def __init__(self, first, folder, capture, monkeypatch):
        self.first = first
        self.second = Checkout(folder, first.remote, capture)
        self._monkeypatch = monkeypatch
        for one in (self.first, self.second):
            one.task("a")

    def at(self, checkout, *command):
        self._monkeypatch.chdir(checkout.folder)
        return checkout.taskspec(*command)

    def runs(self):
        return {run.id: run for run in self.first.remote.runs.values()}


@pytest.fixture
def both(checkout, tmp_path, capfd, monkeypatch):
    (tmp_path / "other").mkdir()
    return Both(checkout, tmp_path / "other", capfd, monkeypatch)


def records(checkout):
    return records_in(checkout.folder)


def run_of(checkout, address="a"):
    return records(checkout)[address].generation.last.run


def test_each_checkout_pays_for_its_own_run_and_once(both):
    for _ in range(2):
        for one in (both.first, both.second):
            assert both.at(one, "apply", "--yes").code == 0
    assert len(both.runs()) == 2
    assert {run_of(both.first), run_of(both.second)} == set(both.runs())
    assert len({run.marker.split(".")[1] for run in both.runs().values()}) == 2


def test_a_run_of_another_checkout_is_never_adopted(both):
    both.first.remote.scripts["Write a."] = [["executing"], ["completed"]]
    both.second.task("b")
    assert both.at(both.second, "apply", "--yes", "b").code == 0  # so it knows that titles keep markers here
    assert both.at(both.first, "apply", "--yes", "--no-wait").code == 0
    both.first.remote.sends = ["lose"]
    assert both.at(both.second, "apply", "--yes", "--on-unknown=hold").code == 9
    done = both.at(both.second, "apply", "--yes")
    assert (done.code, "adopted" in done.out) == (0, False), done
    assert run_of(both.second) != run_of(both.first)
    assert len(both.runs()) == 3


@pytest.mark.parametrize("end", ["stop -y", "apply --yes"], ids=["stopped", "no longer declared"])
def test_ending_ones_own_leaves_the_other_s_at_work(both, end):
    both.first.remote.scripts["Write a."] = [["executing"], ["executing"]]
    for one in (both.first, both.second):
        assert both.at(one, "apply", "--yes", "--no-wait").code == 0
    if end.startswith("apply"):
        (both.second.folder / "a.yaml").unlink()
        both.second.task("b")
    assert both.at(both.second, *end.split()).code == 0
    assert both.runs()[run_of(both.first)].steps == ["executing"]
    assert both.at(both.first, "status").code == 0


def test_another_project_s_task_of_the_same_name_is_another_task(both):
    both.first.remote.scripts["Write a."] = [["executing"], ["failed"]]
    both.at(both.first, "apply", "--yes", "--no-wait")
    assert both.at(both.second, "apply", "--yes").code == 3
    both.runs()[run_of(both.first)].steps = ["completed"]
    assert both.at(both.first, "apply", "--yes").code == 0
    assert both.at(both.second, "plan").code == 3


@pytest.fixture
def elsewhere():
    with CommandedRemote() as made:
        yield made


def moved(checkout, remote):
    """Let the project name another remote, with the same agents."""
    checkout.remote = remote
    checkout.project()


def test_an_accepted_result_of_another_remote_is_a_run_here_and_the_plan_says_why(checkout, elsewhere):
    checkout.task("a")
    checkout.apply()
    moved(checkout, elsewhere)
    planned = checkout.taskspec("plan", "--detailed-exitcode")
    assert (planned.code, "remote" in planned.out) == (2, True), planned
    assert checkout.apply().code == 0
    assert len(elsewhere.runs) == 1


def test_a_run_that_goes_on_at_another_remote_is_held_and_neither_read_nor_stopped_here(checkout, elsewhere):
    first = checkout.remote
    checkout.task("a", ["executing"])
    assert checkout.apply("--no-wait").code == 0
    moved(checkout, elsewhere)
    asked = dict(first.asked)
    for command in ("plan", "apply --yes", "status"):
        assert checkout.taskspec(*command.split()).code in {1, 9}, command
    stopped = checkout.taskspec("stop", "-y")
    assert stopped.code == 1
    assert elsewhere.runs == {}
    assert elsewhere.asked["DELETE"] == 0
    assert dict(first.asked) == asked
    assert first.runs["run-1"].steps == ["executing"]
