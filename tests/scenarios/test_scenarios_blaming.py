"""A plan blames no line and nobody that did not cause a change: rows, items, members, triggers and defaults."""

import shutil

import pytest
from scenario_repositories import Repository
from scenario_workspaces import Workspace

FILES = {
    "taskspec.yaml": """\
apiVersion: taskspec/v1
kind: Project
metadata: {name: desk}
spec:
  agents:
    echo: {command: [cat]}
  variables:
    hours: {type: integer, default: 24}
    release: {default: r1}
    langs: {type: list, default: [en, de]}
    tone: {default: plain}
  defaults:
    - spec: {user: {email: desk@example.com}}
    - match: {labels: {tier: silver}}
      spec:
        llm: {provider: openai, name: small}
        additionalContext: "{{ file('house.md') }}"
    - match: {labels: {tier: gold}}
      spec: {llm: {provider: openai, name: large}}
""",
    "tasks.yaml": """\
apiVersion: taskspec/v1
kind: Task
metadata: {name: row}
spec:
  agent: echo
  forEach: {file: markets.csv, key: id}
  prompt: "{{ each.value.name }} sold {{ each.value.sold }}."
---
apiVersion: taskspec/v1
kind: Task
metadata: {name: pack}
spec:
  agent: echo
  prompt: "{% for row in tasks['row[*]'] %}{{ row.result }}{% endfor %}"
---
apiVersion: taskspec/v1
kind: Task
metadata: {name: reply, labels: {tier: silver}}
spec:
  agent: echo
  forEach:
    items:
      - {id: acme, name: ACME, plan: &plan "within {{ vars.hours }} hours"}
      - {id: globex, name: Globex, plan: *plan}
      - {id: initech, name: Initech, plan: at once}
    key: id
  prompt: "{{ each.value.name }}: {{ each.value.plan }}"
---
apiVersion: taskspec/v1
kind: Task
metadata: {name: manual}
spec:
  agent: echo
  prompt: Write the manual.
  rerun: {triggers: {release: "{{ vars.release }}"}}
---
apiVersion: taskspec/v1
kind: Task
metadata: {name: survey}
spec:
  agent: echo
  matrix: {lang: "{{ vars.langs }}"}
  prompt: Ask in {{ matrix.lang }}.
  user:
    email: survey@example.com
    timezone: Europe/Berlin
""",
    "markets.csv": """\
id,name,sold
de,Germany,410
fr,France,300
us,United States,"900
and more"
""",
    "house.md": "Short.\nKind.\n",
}


@pytest.fixture(scope="module")
def applied(tmp_path_factory):
    """Apply the project once: every test gets a copy of it."""
    folder = tmp_path_factory.mktemp("repository")
    workspace = Workspace(folder, tmp_path_factory.mktemp("cache"))
    Repository(workspace).begin(FILES)
    return workspace


@pytest.fixture
def repository(applied, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(applied.folder, folder)
    return Repository(Workspace(folder, tmp_path / "cache"))


def innocent(repository):
    """Let somebody else commit something that causes nothing, in every file."""
    for name, old, new in (
        ("taskspec.yaml", "kind: Project", "kind: Project # ours"),
        ("tasks.yaml", "metadata: {name: manual}", "metadata: {name: manual} # by hand"),
    ):
        repository.edit(name, old, new)
    repository.commit("Say more", author="Linus")


def test_a_row_is_told_by_its_key_and_not_by_letters_that_stand_elsewhere(repository):
    repository.edit("markets.csv", 'and more"\n', 'and more"\nit,Italy,77\n')
    commit = repository.commit("Italy")
    plan = repository.plan()
    assert plan.line("cell_added", "row[it]") == ("markets.csv:6:1", commit)
    assert plan.line("member_added", "pack") == ("markets.csv:6:1", commit)
    assert "because `row[*]` has `row[it]` now" in plan.text


def test_of_a_value_of_several_lines_the_edited_one_is_told(repository):
    repository.edit("markets.csv", "and more", "and much more")
    commit = repository.commit("More")
    assert repository.plan().line("input_changed", "row[us]") == ("markets.csv:5:1", commit)


def test_a_row_that_takes_the_figures_of_another_is_told_at_its_own_line(repository):
    repository.edit("markets.csv", "fr,France,300", "fr,France,410")
    commit = repository.commit("As Germany")
    assert repository.plan().line("input_changed", "row[fr]") == ("markets.csv:3:1", commit)


def test_a_row_that_is_gone_is_told_with_the_commit_that_took_it_out(repository):
    repository.edit("markets.csv", "fr,France,300\n", "")
    assert repository.plan().line("no_longer_declared", "row[fr]") == ("markets.csv", "")
    commit = repository.commit("No France")
    repository.edit("markets.csv", "de,Germany", "de,Deutschland")
    repository.commit("In German", author="Linus")
    plan = repository.plan()
    assert plan.line("no_longer_declared", "row[fr]") == ("markets.csv", commit)
    assert plan.line("member_gone", "pack") == ("markets.csv", commit)
    assert "because `row[*]` is without `row[fr]` now" in plan.text
    assert "another answer" not in plan.text
    alone = repository.plan("row[fr]")
    assert alone.line("no_longer_declared", "row[fr]") == ("markets.csv", commit)
    assert f"the row `fr` of `markets.csv` is gone  markets.csv ({commit}" in repository.told("row[fr]")


def test_another_order_is_told_as_such_with_the_commit_that_moved_the_rows(repository):
    repository.edit("markets.csv", "de,Germany,410\nfr,France,300\n", "fr,France,300\nde,Germany,410\n")
    commit = repository.commit("By name")
    innocent(repository)
    plan = repository.plan()
    assert plan.paid == {"pack"}
    assert plan.line("members_moved", "pack") == ("markets.csv", commit)
    assert "because `row[*]` has another order now" in plan.text


def test_another_answer_of_a_member_is_told_as_such(repository):
    repository.edit("markets.csv", "fr,France,300", "fr,France,301")
    assert repository.apply("row[fr]").code == 0
    assert "`row[*]` gave another answer" in repository.plan().text


def test_a_variable_within_an_item_is_the_cause_and_not_the_item(repository):
    plan = repository.plan("--var", "hours=8")
    assert plan.paid == {"reply[acme]", "reply[globex]"}
    codes = [code for code, _, _ in plan.causes("reply[acme]")]
    assert codes == ["spec_changed", "input_changed"]
    assert "because `vars.hours` has another value, given by `--var` (`default` gave it before)" in plan.text


def test_an_item_that_is_edited_is_told_at_its_line_and_that_of_its_anchor(repository):
    repository.edit("tasks.yaml", "name: Globex", "name: Globex Inc")
    first = repository.commit("Inc")
    assert repository.plan().line("input_changed", "reply[globex]") == ("tasks.yaml:24:28", first)
    repository.edit("tasks.yaml", "hours }} hours", "hours }} h")
    second = repository.commit("Shorter", author="Linus")
    innocent(repository)
    plan = repository.plan()
    assert [one[1:] for one in plan.causes("reply[globex]")[1:]] == [
        ("tasks.yaml:24:28", first),
        ("tasks.yaml:23:38", second),
    ]
    assert plan.line("input_changed", "reply[acme]") == ("tasks.yaml:23:38", second)


def test_an_item_that_is_gone_is_told_with_the_commit_that_took_it_out(repository):
    repository.edit("tasks.yaml", "      - {id: initech, name: Initech, plan: at once}\n", "")
    commit = repository.commit("No Initech")
    innocent(repository)
    assert repository.plan().line("no_longer_declared", "reply[initech]")[1] == commit


def test_a_trigger_is_told_with_its_variable(repository):
    repository.edit("taskspec.yaml", "default: r1", "default: r2")
    commit = repository.commit("Release")
    plan = repository.plan()
    assert plan.paid == {"manual"}
    assert "the trigger `release` is another one since g1" in plan.text
    assert plan.line("input_changed", "manual") == ("taskspec.yaml:9:24", commit)


def test_a_field_of_the_task_itself_is_no_matter_of_the_defaults_around_it(repository):
    repository.edit("tasks.yaml", "Europe/Berlin", "Europe/Paris")
    commit = repository.commit("Paris")
    innocent(repository)
    plan = repository.plan()
    assert plan.causes("survey[en]") == [("spec_changed", "tasks.yaml:46:22", commit)]
    repository.edit("tasks.yaml", "    timezone: Europe/Paris\n", "")
    commit = repository.commit("Anywhere")
    assert repository.plan().causes("survey[en]") == [("spec_changed", "tasks.yaml:45:5", commit)]


def test_a_default_that_is_gone_is_told_by_what_it_gave_and_nothing_else_is_blamed(repository):
    repository.edit("taskspec.yaml", "        llm: {provider: openai, name: small}\n", "")
    first = repository.commit("No model")
    repository.edit(
        "taskspec.yaml", "        additionalContext: \"{{ file('house.md') }}\"\n", "        toolCallLimit: 9\n"
    )
    second = repository.commit("No style", author="Linus")
    innocent(repository)
    plan = repository.plan()
    commits = {commit for _, _, commit in plan.causes("reply[acme]") if commit}
    gone = [(place, commit) for code, place, commit in plan.causes("reply[acme]") if code == "default_gone"]
    assert gone == [("taskspec.yaml", second), ("taskspec.yaml", first)]
    assert commits == {first, second}
    dropped = next(one for one in plan.causes("reply[acme]") if one[0] == "input_dropped")
    assert dropped == ("input_dropped", "", None)


def test_a_default_that_gives_a_field_as_before_is_no_cause(repository):
    repository.edit("taskspec.yaml", "name: small", "name: medium")
    commit = repository.commit("Medium")
    assert repository.plan().causes("reply[acme]") == [("spec_changed", "taskspec.yaml:16:39", commit)]


def test_what_a_condition_depends_on_is_told_where_it_did_not_before(repository):
    repository.edit("tasks.yaml", "the manual.", "the manual{% if vars.tone == 'warm' %}, with love{% endif %}.")
    first = repository.commit("A condition")
    assert repository.plan().paid == set()
    repository.edit("taskspec.yaml", "default: plain", "default: warm")
    second = repository.commit("Warm", author="Linus")
    plan = repository.plan()
    assert plan.line("input_added", "manual") == ("taskspec.yaml:11:21", second)
    assert plan.line("text_edited", "manual")[1] == first


def test_the_cells_of_a_new_task_are_its_own_and_those_of_a_known_one_are_the_variables(repository):
    repository.edit("tasks.yaml", "metadata: {name: survey}", "metadata: {name: poll}")
    repository.edit("tasks.yaml", "Ask in", "Vote in")
    commit = repository.commit("A poll")
    assert repository.plan().causes("poll[en]") == [
        ("not_recorded", "tasks.yaml:39:18", commit),
        ("may_be_renamed", "tasks.yaml:39:18", commit),
    ]
    repository.edit("tasks.yaml", "metadata: {name: poll}", "metadata: {name: survey}")
    repository.edit("tasks.yaml", "Vote in", "Ask in")
    repository.edit("taskspec.yaml", "[en, de]", "[en, fi]")
    commit = repository.commit("Finnish")
    plan = repository.plan()
    assert [one for one in plan.causes("survey[fi]") if one[0] == "cell_added"] == [
        ("cell_added", "taskspec.yaml:10:34", commit)
    ]
    assert plan.line("no_longer_declared", "survey[de]") == ("taskspec.yaml:10:34", commit)
    assert f"at taskspec.yaml:10:34 `de` was taken out ({commit}" in plan.text


def test_a_saved_plan_keeps_the_commit_of_each_line_that_is_gone(repository):
    repository.edit("markets.csv", "fr,France,300\n", "")
    first = repository.commit("No France")
    repository.edit("markets.csv", "de,Germany,410\n", "")
    second = repository.commit("No Germany")
    repository.save("plan.json")
    shown = repository.show("plan.json")
    assert f"the row `fr` of `markets.csv` is gone  markets.csv ({first}" in shown
    assert f"the row `de` of `markets.csv` is gone  markets.csv ({second}" in shown
