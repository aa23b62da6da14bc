"""Reports of real commands: what an agent says stays text in each of them, and what failed is red in each of them."""

import json
from xml.etree import ElementTree as ET

import pytest

HOSTILE = (
    "\x1b[31m</details><script>alert(1)</script>\n````\n# @octocat #12\n"
    "::error::owned\n##[error]owned\n\u202egnp.exe\n]]>"
)
FORMATS = {"markdown": "r/out.md", "junit": "r/out.xml", "jsonl": "r/out.jsonl", "html": "r/out.html"}
REPORTS = [word for form, file in FORMATS.items() for word in ("--report", f"{form}={file}")]


def _texts(workspace):
    return {form: (workspace.folder / file).read_text("utf-8") for form, file in FORMATS.items()}


def _failed(xml):
    root = ET.fromstring(xml)
    return int(root.get("failures")) + int(root.get("errors"))


def test_results_of_megabytes_and_hostile_words_break_out_of_no_report(workspace):
    workspace.write("said.txt", HOSTILE)
    workspace.shell("huge", 'cat "$ROOT/said.txt"; yes "0123456789abcdef" | head -c 5000000', env={"allow": ["ROOT"]})
    workspace.shell("bad", 'cat "$ROOT/said.txt" >&2; exit 3', env={"allow": ["ROOT"]})
    workspace.environ["ROOT"] = str(workspace.folder)
    workspace.project()
    workspace.tasks(a={"agent": "huge", "prompt": "One."}, b={"agent": "bad", "prompt": "Two."})
    done = workspace.apply(*REPORTS)
    assert done.code == 3, done
    texts = _texts(workspace)
    assert _failed(texts["junit"]) >= 1
    assert texts["markdown"].startswith("### ❌ Failed · stories: 2 runs started")
    assert len(texts["markdown"]) < 100_000
    for form, text in texts.items():
        assert "\x1b" not in text, form
        assert "\u202e" not in text, form
    for line in (texts["markdown"] + texts["junit"]).splitlines():
        assert not line.startswith(("::error", "##[error"))
    assert "<script>alert" not in texts["html"]
    assert json.loads(texts["jsonl"].splitlines()[-1])["event"] == "ApplyFinished"


@pytest.mark.parametrize(
    ("wrong", "code", "said"),
    [
        ({"tasks.yaml": "apiVersion: taskspec/v1\nkind: Task\nmetadata: {name: a}\nspec: {agnt: x}\n"}, 1, "agnt"),
        ({".taskspec/default/state.db": "no state at all, but a text"}, 1, "state"),
    ],
)
def test_a_command_that_fails_before_there_is_a_plan_is_red_in_each_report(workspace, wrong, code, said):
    workspace.shell("w", "cat")
    workspace.project()
    workspace.tasks(a={"agent": "w", "prompt": "One."})
    for name, text in wrong.items():
        workspace.write(name, text)
    done = workspace.taskspec("plan", *REPORTS)
    assert done.code == code, done
    texts = _texts(workspace)
    assert _failed(texts["junit"]) >= 1
    assert texts["markdown"].startswith("### ❌ Error")
    assert said in texts["markdown"]
    assert json.loads(texts["jsonl"].splitlines()[-1])["error"]["exitCode"] == code


def test_a_report_that_cannot_be_written_does_not_keep_an_apply_from_being_recorded(workspace):
    workspace.shell("w", "cat")
    workspace.project()
    workspace.tasks(a={"agent": "w", "prompt": "One."})
    workspace.write("taken", "a file")
    done = workspace.apply("--report", "junit=taken/out.xml", "--report", "markdown=out.md")
    assert done.code == 1
    assert "taken/out.xml could not be written" in done.err
    told = (workspace.folder / "out.md").read_text("utf-8")
    assert told.startswith("### ❌ Error · stories: 1 run started, 1 accepted\n\n**`taken/out.xml` could not be")
    assert workspace.planned() == {"a": "none"}
