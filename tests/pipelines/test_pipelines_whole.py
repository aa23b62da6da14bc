"""A pull request through the workflow as it is written, with taskspec itself: planned, merged, applied, once.

The jobs here share a checkout, and so the state in it; that one which is not shared is refused is tried elsewhere.
"""

import json
import os
import shutil
import subprocess
import sys

import pytest
import yaml
from pipelines_drawn import api, outputs_in, program, ran, steps_of

from taskspec.cli import commands

REPOSITORY = "acme/sales"
PROJECT = """\
apiVersion: taskspec/v1
kind: Project
metadata: {name: sales}
spec:
  agents: {shouter: {command: [tr, a-z, A-Z]}}
---
apiVersion: taskspec/v1
kind: Task
metadata: {name: report}
spec: {agent: shouter, prompt: "sales of march"}
"""


class Hosted:
    """A repository, its pipeline, and the jobs that a platform would start."""

    def __init__(self, folder):
        self.folder = folder
        self.checkout = folder / "checkout"
        self.checkout.mkdir()
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.email", "ada@example.com")
        self.git("config", "user.name", "Ada")
        program(folder, "taskspec", f'exec {sys.executable} -m taskspec "$@"\n')

    def git(self, *words):
        done = subprocess.run(["git", *words], cwd=self.checkout, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, **files):
        for name, text in files.items():
            (self.checkout / name.replace("__", ".")).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-qm", "change")
        return self.git("rev-parse", "HEAD")

    def step(self, job, name, event, **environ):
        """Run a step of a job; return what was done and what it put out."""
        workflow = yaml.safe_load((self.checkout / ".github/workflows/taskspec.yml").read_text())
        found = steps_of(workflow["jobs"][job])[name]
        told = self.folder / "event.json"
        told.write_text(json.dumps(event))
        put_out = self.folder / "outputs"
        put_out.write_text("")
        script = found["run"].replace("time.sleep(pause)", "pass")
        shell = {"shell": (sys.executable,)} if found.get("shell") == "python" else {}
        given = {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_EVENT_PATH": str(told),
            "GITHUB_OUTPUT": str(put_out),
            "GITHUB_WORKFLOW_REF": f"{REPOSITORY}/.github/workflows/taskspec.yml@refs/heads/main",
            "RUNNER_TEMP": str(self.folder / "temp"),
            "HOME": str(self.folder),
            "TASKSPEC_TRACEBACK": "1",
            "ENVIRONMENT": "default",
            "BRANCH": "main",
            **environ,
        }
        given |= {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
        done = ran(script, self.checkout, given, folder=self.folder, **shell)
        return done, outputs_in(put_out)


@pytest.mark.skipif("reconcile" not in commands.COMMANDS, reason="there is no reconcile yet")
def test_what_was_planned_for_a_pull_request_is_applied_once_it_is_merged(folder):
    hosted = Hosted(folder)
    (hosted.checkout / "taskspec.yaml").write_text(PROJECT)
    done = subprocess.run(
        [sys.executable, "-m", "taskspec", "init", "--ci", "github"],
        cwd=hosted.checkout,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done
    base = hosted.commit(__gitignore=".taskspec/\nresults/\n")

    hosted.git("switch", "-qc", "april")
    head = hosted.commit(**{"taskspec.yaml": PROJECT.replace("march", "april")})
    repository = {"full_name": REPOSITORY}
    pull = {"number": 7, "base": {"sha": base}, "head": {"sha": head, "repo": repository}}
    request = {
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_REF": "refs/pull/7/merge",
        "GITHUB_BASE_REF": "main",
        "GITHUB_HEAD_REF": "april",
        "GITHUB_SHA": head,
    }
    event = {"repository": repository, "pull_request": pull}
    done, outputs = hosted.step("plan", "Plan", event, BASE=base, **request)
    assert done.returncode == 0, done
    assert outputs["exit-code"] == "0"
    assert outputs["paid-runs"] == "1"
    assert {path.name for path in (folder / "temp/report").iterdir()} == {"plan.html", "plan.xml"}
    done, named = hosted.step("plan", "Name the plan", event, DIGEST=outputs["plan-digest"], HEAD=head, NUMBER="7")
    assert done.returncode == 0, done
    shutil.move(folder / "temp/plan", folder / "artifact")

    hosted.git("switch", "-q", "main")
    hosted.git("merge", "-q", "--no-ff", "april", "-m", "Merge pull request #7")
    merged = hosted.git("rev-parse", "HEAD")
    push = {"GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main", "GITHUB_SHA": merged}
    event = {"commits": [{"id": merged}, {"id": head}]}
    closed = [{**pull, "merged_at": "2026-11-29T09:14:02Z", "merge_commit_sha": merged}]
    run = {"id": 50, "head_sha": head, "head_repository": repository}
    answers = {
        "&direction=desc&per_page=100": closed,
        f"&head_sha={head}&per_page=100": {"workflow_runs": [run]},
        "/50/artifacts?per_page=100": {"artifacts": [{"id": 90, "name": named["name"], "expired": False}]},
    }
    with api(answers) as (url, _):
        done, found = hosted.step(
            "apply", "Find the plan of the pull request", event, GITHUB_API_URL=url, GITHUB_TOKEN="t", **push
        )
    assert done.returncode == 0, done
    assert (found["how"], found["digest"]) == ("plan", outputs["plan-digest"])
    shutil.move(folder / "artifact", folder / "temp/plan")
    done, outputs = hosted.step("apply", "Apply", event, HOW="plan", DIGEST=found["digest"], **push)
    assert done.returncode == 0, done
    assert (hosted.checkout / "results/report.txt").read_text() == "SALES OF APRIL"
    done, _ = hosted.step("apply", "Apply", event, HOW="plan", DIGEST=found["digest"], **push)
    assert done.returncode == 7, done
    done, outputs = hosted.step("drift", "Look for drift", {}, GITHUB_EVENT_NAME="schedule")
    assert done.returncode == 0, done
    hosted.commit(**{"taskspec.yaml": PROJECT.replace("march", "may")})
    done, outputs = hosted.step("drift", "Look for drift", {}, GITHUB_EVENT_NAME="schedule")
    assert done.returncode == 2, done
    done, outputs = hosted.step("apply", "Apply", {}, HOW="anew", DIGEST="", **push)
    assert done.returncode == 0, done
    assert (hosted.checkout / "results/report.txt").read_text() == "SALES OF MAY"
