"""Bad manifests and bad command lines: the exact words, the place, the exit code, and nothing half done."""

import re

import pytest

HEAD = "apiVersion: taskspec/v1\nkind: Task\nmetadata: {name: a}\nspec:\n  agent: echo\n"
GOOD = HEAD + "  prompt: hi\n"
BOMB = "x0: &x0 [a, a, a, a, a, a, a, a, a]\n" + "".join(
    f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]\n" for n in range(1, 9)
)

MANIFESTS = {
    "broken YAML": GOOD + "  title: [unclosed\n",
    "a tab as indentation": HEAD + "\tprompt: hi\n",
    "a key given twice": GOOD + "  prompt: ho\n",
    "an alias bomb": BOMB + GOOD,
    "an unquoted expression": HEAD + "  prompt: {{ vars.region }}\n",
    "an unknown field": HEAD + "  promt: hi\n",
    "an unknown field of the metadata": GOOD.replace("{name: a}", "{name: a, lables: {x: y}}"),
    "a wrong type": HEAD + "  prompt: [hi]\n",
    "numbers where texts belong": HEAD.replace("{name: a}", "{name: 5}") + "  prompt: 5\n  timeout: 5\n",
    "a required field that is missing": HEAD,
    "a value that is none of the known": GOOD + "  outputFormat: jsn\n",
    "an undefined variable": HEAD + '  prompt: "{{ vars.regoin }}"\n',
    "a template that cannot be parsed": HEAD + '  prompt: "{{ vars.region "\n',
    "a template that reaches for the inside": HEAD + '  prompt: "{{ vars.region.__class__.__mro__ }}"\n',
    "two tasks of one name": GOOD + "---\n" + GOOD,
    "an attached file that is missing": GOOD + "  files: [data/nowhere.csv]\n",
    "an attached file outside of the project": GOOD + "  files: [../../etc/passwd]\n",
    "an unknown agent": GOOD.replace("echo", "ecko"),
    "a name that is none": GOOD.replace("name: a", "name: A b"),
    "an output schema that is none": GOOD + "  outputFormat: json\n  outputSchema: {type: objekt}\n",
    "a dependency that is not there": GOOD + "  dependsOn: [b]\n",
    "another version of the language": GOOD.replace("taskspec/v1", "taskspec/v2"),
    "a kind that is none": GOOD.replace("kind: Task", "kind: Tsak"),
    "no document of ours": "hello: world\n",
    "bytes that are no text": None,
    "control characters in a value": HEAD + '  promt: "\\e[31mred\\e]0;owned\\a"\n',
    "several mistakes at once": HEAD + "  promt: hi\n  titel: x\n---\n" + GOOD.replace("echo", "nobody"),
}


@pytest.fixture
def project(workspace):
    workspace.project(variables={"region": {"type": "string", "default": "emea"}})
    return workspace


@pytest.mark.parametrize("case", MANIFESTS)
def test_a_mistake_in_a_manifest_is_told_with_its_place(project, snapshot, case):
    text = MANIFESTS[case]
    (project.folder / "tasks.yaml").write_bytes(b"\xff\xfe\x00\x80" if text is None else text.encode())
    checked = project.taskspec("validate")
    assert checked.code == 1, checked
    assert checked.out == ""
    assert re.search(r"^(tasks|taskspec)\.yaml:\d+:\d+: error: ", checked.err) or "no task" in checked.err, checked
    assert "\x1b" not in checked.err
    assert not (project.folder / ".taskspec").exists()
    assert snapshot == checked.err.replace(str(project.folder), "<project>")


@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"], ["retry", "a", "--yes"]], ids=" ".join)
def test_every_command_that_needs_the_tasks_tells_the_same_and_does_nothing(project, command):
    project.write("tasks.yaml", MANIFESTS["several mistakes at once"])
    done = project.taskspec(*command)
    assert (done.code, done.out) == (1, "")
    assert done.err == project.taskspec("validate").err
    assert not (project.folder / ".taskspec").exists()
    assert not (project.folder / "results").exists()


PROJECTS = {
    "an agent's command that does not exist": {"agents": {"echo": {"command": ["no-such-program"]}}},
    "an agent's script that does not exist": {"agents": {"echo": {"command": ["./agents/none.sh"]}}},
    "an agent without a command": {"agents": {"echo": {"command": []}}},
    "a remote that is none": {"remote": "moon"},
    "results outside of the project": {"results": {"path": "../elsewhere"}},
    "a default that does not fit its type": {"variables": {"n": {"type": "integer", "default": "many"}}},
    "a budget of another word": {"budget": {"runs": 5}},
}


@pytest.mark.parametrize("case", PROJECTS)
def test_a_mistake_in_the_project_file_is_told_with_its_place(workspace, snapshot, case):
    workspace.project(**PROJECTS[case])
    workspace.write("tasks.yaml", GOOD)
    done = workspace.taskspec("plan")
    assert (done.code, done.out) == (1, ""), done
    assert done.err.startswith("taskspec.yaml:"), done
    assert not (workspace.folder / ".taskspec").exists()
    assert snapshot == done.err.replace(str(workspace.folder), "<project>")


LINES = {
    "a target that does not exist": (64, ["plan", "nowhere/"]),
    "a file that does not exist": (64, ["plan", "nowhere.yaml"]),
    "an unknown address": (64, ["plan", "b"]),
    "an unknown address to validate": (64, ["validate", "b"]),
    "an unknown address to apply": (64, ["apply", "--yes", "b"]),
    "an unknown address to show": (64, ["status", "b"]),
    "an address of which nothing is recorded": (64, ["logs", "a"]),
    "logs of nothing": (64, ["logs"]),
    "retry of nothing": (64, ["retry", "--yes"]),
    "an address that is none": (64, ["plan", ".", "A!"]),
    "an empty selector": (64, ["apply", "--yes", ""]),
    "a method that is none": (64, ["plan", "lable:team=growth"]),
    "a state that is none": (64, ["status", "state:modified"]),
    "a glob that fits no task": (64, ["plan", "b*"]),
    "a label that no task has": (64, ["stop", "--yes", "label:team=growth"]),
    "a file that is none": (64, ["plan", "file:task.yaml"]),
    "a name that is none, excluded": (64, ["apply", "--yes", "--exclude", "b"]),
    "nothing selected to apply": (64, ["apply", "--yes", "state:changed"]),
    "nothing selected to retry": (64, ["retry", "--yes", "result:failed"]),
    "nothing selected to stop": (64, ["stop", "--yes", "state:new"]),
    "everything excluded": (64, ["apply", "--yes", "a", "--exclude", "*"]),
    "a variable that is not declared": (1, ["plan", "--var", "regoin=emea"]),
    "a variable without a value": (64, ["plan", "--var", "region"]),
    "a variable whose value does not fit": (1, ["plan", "--var", "count=many"]),
    "an unknown command": (64, ["aplly"]),
    "an unknown option": (64, ["plan", "--jsn"]),
    "a duration that is none": (64, ["apply", "--wait-timeout", "soon"]),
    "apply without a terminal": (64, ["apply"]),
    "serve of a task": (64, ["serve", "a"]),
    "agents of a task": (64, ["agents", "list", "a"]),
    "serve for others without a key": (64, ["serve", "--host", "0.0.0.0"]),
    "serve with a key that is not set": (7, ["serve", "--api-key-env", "NO_SUCH_KEY"]),
}


@pytest.mark.parametrize("case", LINES)
def test_a_command_line_that_cannot_be_carried_out_is_told(workspace, snapshot, case):
    code, arguments = LINES[case]
    workspace.project(
        variables={"region": {"type": "string", "default": "x"}, "count": {"type": "integer", "default": 1}}
    )
    workspace.write("tasks.yaml", GOOD)
    done = workspace.taskspec(*arguments)
    assert done.code == code, done
    assert done.err
    assert not (workspace.folder / "results").exists()
    assert not (workspace.folder / ".taskspec/engine").exists()
    assert snapshot == done.err.replace(str(workspace.folder), "<project>")


def test_an_unset_key_of_a_remote_is_exit_7_and_validate_needs_none(workspace):
    workspace.agents.clear()
    workspace.project(remote={"type": "xpander"})
    workspace.write("tasks.yaml", GOOD)
    assert workspace.taskspec("validate").code == 0
    done = workspace.taskspec("plan")
    assert done.code == 7, done
    assert "XPANDER_API_KEY" in done.err


@pytest.mark.parametrize("command", [["validate"], ["plan"], ["apply", "--yes"], ["status"], ["results"]], ids=" ".join)
def test_an_empty_folder_is_an_error_where_tasks_are_needed(workspace, command):
    done = workspace.taskspec(*command)
    assert done.code == (0 if command[0] in {"status", "results"} else 1), done
    assert not (workspace.folder / ".taskspec").exists()


def test_a_mistake_is_a_document_too_where_json_is_asked_for(project):
    project.write("tasks.yaml", HEAD + "  promt: hi\n")
    done = project.taskspec("plan", "--json")
    assert done.code == 1
    assert done.json["error"]["exitCode"] == 1
    assert {found["file"] for found in done.json["error"]["diagnostics"]} == {"tasks.yaml"}


def test_other_peoples_yaml_is_skipped_and_counted(project):
    project.write("tasks.yaml", GOOD)
    project.write("compose.yaml", "services: {}\n")
    done = project.taskspec("validate")
    assert (done.code, done.err) == (0, "")
    assert "1 YAML file left out" in done.out
