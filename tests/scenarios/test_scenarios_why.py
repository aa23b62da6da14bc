"""A plan says of each edit what will be paid, why, and which line of which commit caused it."""

import shutil

import pytest
from scenario_repositories import TASKS, Repository
from scenario_workspaces import Workspace

from taskspec.inputs import Input

NOT_COMMITTED = ""


@pytest.fixture(scope="module")
def applied(tmp_path_factory):
    """Apply the project once: every test gets a copy of it."""
    folder = tmp_path_factory.mktemp("repository")
    workspace = Workspace(folder, tmp_path_factory.mktemp("cache"))
    Repository(workspace).begin()
    return workspace


@pytest.fixture
def repository(applied, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(applied.folder, folder)
    return Repository(Workspace(folder, tmp_path / "cache"))


def test_nothing_is_paid_and_nothing_said_where_nothing_changed(repository):
    plan = repository.plan()
    assert plan.text == "Nothing is to be done.\n\nsales: 8 up to date.\n"
    assert plan.paid == set()


EDITS = {
    # what is edited: in which file, what into what; then of one task the code of the cause, and its place
    "a typo in a line of a prompt": (
        "tasks.yaml",
        "with last year",
        "with the last year",
        "extract",
        "spec_changed",
        "tasks.yaml:14:21",
    ),
    "a new line in a prompt": (
        "tasks.yaml",
        "    4. Name",
        "    3b. Sum up.\n    4. Name",
        "extract",
        "spec_changed",
        "tasks.yaml:15:5",
    ),
    "a line taken out of a prompt": (
        "tasks.yaml",
        "    3. Compare with last year.\n",
        "",
        "extract",
        "spec_changed",
        "tasks.yaml:14:5",
    ),
    "the default of a variable": (
        "taskspec.yaml",
        "default: EMEA",
        "default: APAC",
        "extract",
        "input_changed",
        "taskspec.yaml:10:37",
    ),
    "the default of a variable, lines below its name": (
        "taskspec.yaml",
        "default: plain",
        "default: dry",
        "extract",
        "input_changed",
        "taskspec.yaml:13:16",
    ),
    "a macro": ("macros/words.md", "Dear", "Hello", "letter", "file_changed", "macros/words.md:2:1"),
    "a line of an included file": (
        "context/house.md",
        "We never",
        "We do not",
        "letter",
        "file_changed",
        "context/house.md:2:1",
    ),
    "a line taken out of an included file": (
        "context/house.md",
        "We never shout.\n",
        "",
        "letter",
        "file_changed",
        "context/house.md",
    ),
    "an attached file": ("data/sales.csv", "1,2", "1,3", "letter", "file_changed", "data/sales.csv"),
    "a value that a matrix includes": (
        "tasks.yaml",
        "owner: Cy",
        "owner: Di",
        "market[q2]",
        "input_changed",
        "tasks.yaml:54:30",
    ),
    "an item of a file": (
        "data/regions.csv",
        "Asia",
        "Far East",
        "region[apac]",
        "input_changed",
        "data/regions.csv:3:1",
    ),
    "a new item of a file": (
        "data/regions.csv",
        "apac,Asia\n",
        "apac,Asia\nlatam,South\n",
        "region[latam]",
        "cell_added",
        "data/regions.csv:4:1",
    ),
    "a default by label": ("taskspec.yaml", "friendly.", "kind.", "extract", "spec_changed", "taskspec.yaml:24:11"),
    "an agent": (
        "tasks.yaml",
        "name: plain}\nspec:\n  agent: echo",
        "name: plain}\nspec:\n  agent: other",
        "plain",
        "spec_changed",
        "tasks.yaml:69:10",
    ),
    "a word of an output schema": (
        "tasks.yaml",
        "{type: number}",
        "{type: integer}",
        "plain",
        "spec_changed",
        "tasks.yaml:74:21",
    ),
    "a new field": (
        "tasks.yaml",
        "  outputFormat: json\n",
        "  outputFormat: json\n  toolCallLimit: 3\n",
        "plain",
        "spec_changed",
        "tasks.yaml:71:18",
    ),
    "a field taken out": ("tasks.yaml", "  files: [data/sales.csv]\n", "", "letter", "spec_changed", "tasks.yaml:36:3"),
    "a line of a prompt with macros": (
        "tasks.yaml",
        "Yours, {{",
        "Truly yours, {{",
        "letter",
        "spec_changed",
        "tasks.yaml:42:5",
    ),
    "a text in one line": ("tasks.yaml", "Sum up {{", "Summarise {{", "market[q1]", "spec_changed", "tasks.yaml:55:14"),
}


PAID = {"extract": {"extract", "report"}, "market[q1]": {"market[q1]", "market[q2]"}}
"""Who runs again where not only the task itself does."""


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_is_traced_to_its_line_and_commit(repository, edit):
    file, old, new, address, code, place = EDITS[edit]
    repository.edit(file, old, new)
    assert repository.plan().line(code, address) == (place, NOT_COMMITTED)
    commit = repository.commit("Edit it")
    plan = repository.plan()
    assert plan.paid == PAID.get(address, {address})
    assert plan.line(code, address) == (place, commit)
    assert f"({commit} 2026-11-20 Grace)" in plan.text


def test_a_variable_of_the_command_line_is_told_with_who_gave_it_before(repository):
    plan = repository.plan("--var", "region=MENA")
    assert "because `vars.region` has another value, given by `--var` (`default` gave it before)" in plan.text
    assert plan.causes("extract")[0][:2] == ("spec_changed", "tasks.yaml:10:35")


def test_a_variable_of_the_environment_is_told(repository):
    plan = repository.plan(TASKSPEC_VAR_tone="merry")
    assert "because `vars.tone` has another value, given by `TASKSPEC_VAR_tone`" in plan.text
    plan = repository.plan(TEAM_NAME="legal")
    assert plan.paid == {"letter"}
    assert "because `env.TEAM_NAME` has another value, given by the process environment" in plan.text


def test_an_edit_and_a_variable_are_both_told_each_at_its_place(repository):
    repository.edit("tasks.yaml", "with last year", "with the last year")
    commit = repository.commit("Say the")
    plan = repository.plan("--var", "region=MENA")
    assert plan.line("text_edited", "extract") == ("tasks.yaml:14:21", commit)
    assert "`vars.region` has another value" in plan.text


def test_every_place_of_an_edit_is_told_with_its_own_commit(repository):
    repository.edit("tasks.yaml", "1. Read", "1. Look at")
    first = repository.commit("Look at it")
    repository.edit("tasks.yaml", "4. Name", "4. Tell")
    second = repository.commit("Tell it")
    plan = repository.plan()
    assert plan.causes("extract") == [
        ("spec_changed", "tasks.yaml:12:8", first),
        ("differs_too", "tasks.yaml:15:8", second),
    ]


def test_an_include_that_is_taken_out_is_the_cause(repository):
    repository.edit("tasks.yaml", "    {% include 'context/house.md' %}\n", "")
    commit = repository.commit("Say less")
    repository.edit("tasks.yaml", "  outputFormat: json\n", "  outputFormat: json # as it is\n")
    repository.commit("Comment on another")
    plan = repository.plan()
    assert plan.line("input_dropped", "letter")[1] == commit
    assert "because `context/house.md` is not used any more" in plan.text


def test_a_label_that_chooses_another_default_is_the_cause(repository):
    repository.edit("tasks.yaml", "team: growth", "team: legal")
    commit = repository.commit("Move it to legal")
    plan = repository.plan()
    assert plan.line("label_changed", "extract") == ("tasks.yaml:6:11", commit)
    assert (
        "`expectedOutput` is given by `default for team=legal` (`default for team=growth` gave it before)" in plan.text
    )
    assert "needs no run" not in plan.text


def test_a_default_that_is_gone_is_the_cause(repository):
    repository.edit("taskspec.yaml", "    - spec: {thinkMode: harder}\n", "")
    commit = repository.commit("Think less")
    repository.edit("taskspec.yaml", "sales}", "sales} # our own")
    repository.commit("Say whose")
    plan = repository.plan()
    assert len(plan.paid) == 8
    assert plan.line("default_gone", "plain") == ("taskspec.yaml", commit)


def test_what_waits_tells_what_is_behind_the_tasks_that_it_waits_for(repository):
    repository.edit("taskspec.yaml", "default: EMEA", "default: APAC")
    commit = repository.commit("Go east")
    plan = repository.plan()
    codes = [(code, place) for code, place, _ in plan.causes("report")]
    assert codes == [
        ("known_after", "tasks.yaml:29:5"),
        ("upstream_runs", ""),
        ("spec_changed", "tasks.yaml:10:35"),
        ("input_changed", "taskspec.yaml:10:37"),
    ]
    assert plan.causes("report")[-1][2] == commit


def test_another_answer_of_an_upstream_is_the_cause(repository):
    repository.edit("tasks.yaml", "with last year", "with the last year")
    assert repository.apply("extract").code == 0
    plan = repository.plan()
    assert plan.paid == {"report"}
    assert plan.line("upstream_answered", "report")[0] == "tasks.yaml:29:5"
    assert "`extract` gave another answer in g2" in plan.text


def test_a_removed_task_is_told_with_the_commit_that_removed_it(repository):
    whole = repository.folder / "tasks.yaml"
    whole.write_text(TASKS.partition("---\napiVersion: taskspec/v1\nkind: Task\nmetadata: {name: plain}")[0])
    assert repository.plan().line("no_longer_declared", "plain") == ("tasks.yaml", NOT_COMMITTED)
    commit = repository.commit("Remove it")
    repository.edit("tasks.yaml", "1. Read the table.", "1. Read the  table.")
    repository.commit("Edit something else")
    plan = repository.plan()
    assert plan.line("no_longer_declared", "plain") == ("tasks.yaml", commit)
    assert "`tasks.yaml` did" in plan.text


def test_a_cell_that_came_or_went_is_told_with_the_variable_that_names_it(repository):
    repository.edit("taskspec.yaml", "    token:", "    quarters: {type: list, default: [q1, q2]}\n    token:")
    repository.edit("tasks.yaml", "quarter: [q1, q2]\n", "quarter: '{{ vars.quarters }}'\n")
    repository.edit("tasks.yaml", " for {{ matrix.owner }}.", ".")
    repository.edit(
        "tasks.yaml", "    include:\n      - {quarter: q1, owner: Bo}\n      - {quarter: q2, owner: Cy}\n", ""
    )
    repository.commit("Name the quarters in one place")
    assert repository.apply("market").code == 0
    repository.edit("taskspec.yaml", "[q1, q2]", "[q1, q3]")
    commit = repository.commit("Go on")
    plan = repository.plan()
    assert plan.paid == {"market[q3]"}
    assert plan.causes("market[q3]")[-1] == ("cell_added", "taskspec.yaml:14:37", commit)
    assert plan.line("no_longer_declared", "market[q2]") == ("taskspec.yaml:14:37", commit)


def test_a_renamed_task_is_told_at_its_name(repository):
    repository.edit("tasks.yaml", "name: plain", "name: simple")
    commit = repository.commit("Rename it")
    plan = repository.plan()
    assert plan.paid == set()
    assert plan.line("moved", "simple") == ("tasks.yaml:67:18", commit)


def test_a_new_task_is_told_where_it_is_declared(repository):
    task = TASKS.partition("---")[0].replace("name: extract", "name: more")
    repository.add("more.yaml", task)
    plan = repository.plan()
    assert plan.paid == {"more"}
    assert plan.line("not_recorded", "more") == ("more.yaml:4:9", NOT_COMMITTED)
    commit = repository.commit("Add it")
    assert repository.plan().line("not_recorded", "more") == ("more.yaml:4:9", commit)


UNSENT = {
    "a time-out": (
        "timeout: 1m",
        "timeout: 2m",
        "unsent_changed",
        "tasks.yaml:17:12",
        "`timeout` changed from 1m to 2m",
    ),
    "an assertion": (
        "maxLength: 5000",
        "maxLength: 4000",
        "assertions_changed",
        "tasks.yaml:20:7",
        "its assertions changed",
    ),
    "a label": (
        "team: growth",
        "team: growth\n    size: big",
        "unsent_changed",
        "tasks.yaml:7:11",
        "the label `size` changed",
    ),
    "a policy": (
        "timeout: 1m",
        "timeout: 1m\n  protect: true",
        "policy_changed",
        "tasks.yaml:18:12",
        "`protect` changed",
    ),
}


@pytest.mark.parametrize("edit", UNSENT)
def test_what_changed_without_mattering_is_one_line_and_gone_after_an_apply(repository, edit):
    old, new, code, place, words = UNSENT[edit]
    repository.edit("tasks.yaml", old, new)
    commit = repository.commit("Edit it")
    plan = repository.plan()
    assert plan.paid == set()
    assert plan.line(code, "extract") == (place, commit)
    first, _, line, *rest = plan.text.splitlines()
    assert first == "Nothing is to be done."
    assert line.startswith(f"  · extract  {words}")
    assert "sales: 7 up to date, 1 changed without a run." in rest
    assert len(rest) == (4 if edit == "an assertion" else 2)  # that it is weaker is told too, and counted
    assert repository.plan().text == plan.text
    assert repository.apply().code == 0
    assert repository.plan().text == "Nothing is to be done.\n\nsales: 8 up to date.\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  timeout: 1m\n", "  # not for long\n  timeout: 1m\n"),
        ("  outputFormat: json\n  outputSchema:\n    type: object\n", "  outputSchema:\n    type: object\n"),
        ("metadata: {name: report}\n", "metadata:\n  name: 'report'\n"),
    ],
)
def test_a_cosmetic_edit_says_nothing(repository, old, new):
    repository.edit("tasks.yaml", old, new)
    assert repository.plan().text == "Nothing is to be done.\n\nsales: 8 up to date.\n"


def test_a_rotated_secret_is_no_change_and_is_in_nothing_that_is_kept(repository):
    kept = repository.records()
    assert "s3cret-canary" not in str(kept)
    assert kept["letter"].generation.inputs["vars.token"] == Input(digest="", giver="default")
    repository.edit("taskspec.yaml", "s3cret-canary", "other-canary")
    assert repository.plan().paid == set()
    assert "canary" not in str(repository.why("letter").json)


def test_outside_of_a_repository_the_lines_are_told_without_commits(repository):
    shutil.rmtree(repository.folder / ".git")
    repository.edit("taskspec.yaml", "default: EMEA", "default: APAC")
    plan = repository.plan()
    assert plan.line("input_changed", "extract") == ("taskspec.yaml:10:37", None)
    assert "committed" not in plan.text


def test_without_git_the_lines_are_told_without_commits(repository, tmp_path):
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "cat").symlink_to(shutil.which("cat"))
    repository.edit("taskspec.yaml", "default: EMEA", "default: APAC")
    assert repository.plan(PATH=str(programs)).line("input_changed", "extract") == ("taskspec.yaml:10:37", None)


def test_a_saved_plan_keeps_what_is_behind_its_reasons_and_what_it_was_made_of(repository):
    repository.edit("taskspec.yaml", "default: EMEA", "default: APAC")
    commit = repository.commit("Go east")
    repository.save("plan.json")
    repository.edit("taskspec.yaml", "default: APAC", "default: LATAM")
    assert f"taskspec.yaml:10:37 ({commit} 2026-11-20 Grace)" in repository.show("plan.json")
    repository.edit("taskspec.yaml", "default: LATAM", "default: APAC")
    assert repository.apply("plan.json").code == 0
    kept = repository.records()["extract"]
    assert kept.file == "tasks.yaml"
    assert kept.generation.inputs["vars.region"].giver == "default"
    assert repository.plan().paid == set()


def test_after_a_typo_was_accepted_by_hand_the_next_edit_is_told_against_it(repository):
    repository.edit("tasks.yaml", "with last year", "with the last year")
    repository.commit("Mend a typo")
    assert repository.accept("extract").code == 0
    assert repository.plan().paid == set()
    repository.edit("taskspec.yaml", "default: plain", "default: dry")
    assert repository.plan().line("input_changed", "extract") == ("taskspec.yaml:13:16", NOT_COMMITTED)


def test_why_tells_all_of_one_task(repository):
    repository.edit("taskspec.yaml", "default: EMEA", "default: APAC")
    repository.edit("tasks.yaml", "timeout: 1m", "timeout: 2m")
    commit = repository.commit("Go east")
    done = repository.why("report")
    (report,) = done.json["tasks"]
    assert report["change"]["paid"]
    assert report["recorded"]["file"] == "tasks.yaml"
    assert report["upstream"] == [{"address": "extract", "action": "create", "paid": True, "health": "healthy"}]
    (extract,) = repository.why("extract").json["tasks"]
    changed = {one["name"]: one["at"]["commit"]["id"] for one in extract["inputs"] if one["changed"]}
    assert changed == {"vars.region": commit}
    told = repository.told("extract")
    assert "to pay    1 run" in told
    assert "`timeout` changed from 1m to 2m; it needs no run" in told
    assert f"taskspec.yaml:10:37 ({commit} 2026-11-20 Grace)" in told


def test_why_wants_to_know_of_which_task(repository):
    assert repository.why().code == 64
    assert repository.why("nosuch").code == 64
