"""`taskspec reconcile` in the jobs of a real git repository: whom it trusts, what it applies, and when it is red."""

import json
import subprocess
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

CANARY = "s3cret-canary-4711"
REMOTE = "remote: {type: xpander, baseUrl: 'http://127.0.0.1:9', organization: o, apiKey: {env: THE_KEY}}"


def project(*lines, agents="{cat: {command: [cat]}}"):
    body = "".join(f"  {line}\n" for line in (f"agents: {agents}", *lines))
    return f"apiVersion: taskspec/v1\nkind: Project\nmetadata: {{name: shop}}\nspec:\n{body}"


def task(name, prompt="Hello.", agent="cat"):
    head = f"apiVersion: taskspec/v1\nkind: Task\nmetadata: {{name: {name}}}\n"
    return f"---\n{head}spec: {{agent: {agent}, prompt: {json.dumps(prompt)}}}\n"


class Hosting:
    """A clone of a repository, and the jobs that a CI service runs in it."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.folder = workspace.folder
        self.git("init", "-q", "-b", "main")

    def git(self, *words):
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        done = subprocess.run(["git", *identity, *words], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, **files):
        for name, text in files.items():
            self.workspace.write(f"{name}.yaml", text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")

    def request(self, *arguments, base="main", is_foreign=False, **environ):
        """Run the job of a pull request; return how it ended, and see that it told no secret."""
        theirs = "them/r" if is_foreign else "o/r"
        told = {
            "pull_request": {
                "number": 7,
                "base": {"sha": self.git("rev-parse", base) if base else None},
                "head": {
                    "sha": self.git("rev-parse", "HEAD"),
                    "repo": {"full_name": theirs},
                },
            },
            "repository": {"full_name": "o/r"},
        }
        event = self.folder.parent / "event.json"
        event.write_text(json.dumps(told))
        job = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_BASE_REF": "main",
            "GITHUB_REPOSITORY": "o/r",
        }
        report = self.folder.parent / "report.jsonl"
        done = self.workspace.taskspec("reconcile", *arguments, "--report", f"jsonl={report}", **{**job, **environ})
        assert CANARY not in done.out + done.err + report.read_text()
        return done


@pytest.fixture
def hosting(workspace):
    return Hosting(workspace)


@contextmanager
def listening():
    """Listen on this machine, note the key of every request, and know nobody."""
    heard = []

    class Ear(BaseHTTPRequestHandler):
        def do_GET(self):
            heard.append(self.headers["x-api-key"])
            self.send_response(401)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Ear) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", heard
        finally:
            server.shutdown()
            thread.join()


def test_a_pull_request_is_planned_and_its_merge_applied_with_just_that_plan(hosting, tmp_path):
    hosting.commit(taskspec=project() + task("a"))
    done = hosting.workspace.taskspec("reconcile")
    assert done.code == 0, done
    assert hosting.workspace.result("a.txt") == "Hello."
    hosting.git("switch", "-qc", "feature")
    head = hosting.commit(taskspec=project() + task("a", "Hello again.") + task("b"))
    plan = tmp_path / "plan.json"
    done = hosting.request("--out", str(plan), "--detailed-exitcode", "--since", "main")
    assert done.code == 2, done
    assert '"Hello." → "Hello again."' in done.out
    assert hosting.workspace.result("a.txt") == "Hello.", "a pull request changes nothing"
    hosting.git("switch", "-q", "main")
    hosting.git("merge", "-q", "feature")
    done = hosting.workspace.taskspec("reconcile", "--plan", str(plan))
    assert done.code == 0, done
    assert hosting.workspace.result("a.txt") == "Hello again."
    assert hosting.workspace.records()["b"].accepted.attempt.revision.commit == head
    done = hosting.workspace.taskspec("reconcile", "--plan", str(plan))
    assert done.code == 7, done


def test_merged_manifests_that_ask_for_more_than_the_plan_are_red(hosting, tmp_path):
    hosting.commit(taskspec=project() + task("a"))
    plan = tmp_path / "plan.json"
    assert hosting.workspace.taskspec("reconcile", "--plan-only", "--out", str(plan)).code == 0
    hosting.commit(taskspec=project() + task("a") + task("late"))
    done = hosting.workspace.taskspec("reconcile", "--plan", str(plan))
    assert done.code == 7, done
    assert "ask for more than the plan that was applied: `late` (create)" in done.err
    assert hosting.workspace.result("a.txt") == "Hello."


def test_a_task_that_is_not_well_is_told_where_it_was_not_selected_and_is_red_once_its_manifests_are_merged(
    hosting, tmp_path
):
    agents = "{cat: {command: [cat]}, no: {command: [sh, -c, exit 1]}}"
    hosting.commit(taskspec=project(agents=agents) + task("a") + task("bad", agent="no"))
    assert hosting.workspace.taskspec("reconcile").code == 3
    hosting.git("switch", "-qc", "feature")
    hosting.commit(taskspec=project(agents=agents) + task("a", "More.") + task("bad", agent="no"))
    plan = tmp_path / "plan.json"
    done = hosting.request("--out", str(plan), "--since", "main")
    assert done.code == 0, "a pull request answers for what it changes"
    assert "not counted here as they are not selected: `bad`." in done.err
    report = tmp_path / "report.md"
    done = hosting.workspace.taskspec("reconcile", "--plan", str(plan), "--report", f"markdown={report}")
    assert done.code == 3, "and what is merged for all that it declares"
    assert hosting.workspace.result("a.txt") == "More."
    assert "these have no accepted result: `bad`" in done.err
    assert report.read_text().startswith("### ❌ Failed")
    done = hosting.workspace.taskspec("reconcile", "a")
    assert done.code == 0, done
    assert "not counted here as they are not selected: `bad`." in done.err


def test_a_run_that_goes_on_and_was_not_selected_is_told(hosting):
    agents = "{cat: {command: [cat]}, slow: {command: [sleep, '30']}}"
    hosting.commit(taskspec=project(agents=agents) + task("a") + task("long", agent="slow"))
    with hosting.workspace.serving():
        assert hosting.workspace.taskspec("reconcile", "long", "--no-wait").code == 0
        done = hosting.workspace.taskspec("reconcile", "a")
    assert "not counted here as they are not selected: `long`." in done.err


def test_a_plan_with_other_trust_settings_than_what_was_merged_starts_nothing(hosting, tmp_path):
    hosting.commit(taskspec=project() + task("a"))
    plan = tmp_path / "plan.json"
    assert hosting.workspace.taskspec("reconcile", "--plan-only", "--out", str(plan)).code == 0
    hosting.commit(taskspec=project(agents="{cat: {command: [tr, a-z, A-Z]}}") + task("a"))
    done = hosting.workspace.taskspec("reconcile", "--plan", str(plan))
    assert done.code == 7, done
    assert "made with other settings than the manifests have now: `agents.cat`" in done.err
    assert not hosting.workspace.records()


GUARDS = {"policy": "policies: [{name: no-cat, deny: \"change.agent == 'cat'\"}]", "limit": "limits: {maxCreate: 0}"}


@pytest.mark.parametrize("guard", GUARDS.values(), ids=GUARDS)
def test_a_plan_is_held_against_the_guards_of_what_was_merged(hosting, tmp_path, guard):
    hosting.commit(taskspec=project() + task("a"))
    plan = tmp_path / "plan.json"
    assert hosting.workspace.taskspec("reconcile", "--plan-only", "--out", str(plan)).code == 0
    hosting.commit(taskspec=project(guard) + task("a"))
    done = hosting.workspace.taskspec("reconcile", "--plan", str(plan))
    assert done.code == 6, done
    assert not hosting.workspace.records()


def test_what_is_held_of_the_merged_manifests_is_red_though_the_plan_was_not_about_it(hosting, tmp_path):
    held = task("p").replace("spec: {", "spec: {protect: true, sideEffects: true, ")
    hosting.commit(taskspec=project() + task("a") + held)
    assert hosting.workspace.taskspec("reconcile").code == 0
    hosting.commit(taskspec=project() + task("a", "More.") + held.replace("Hello.", "More."))
    plan = tmp_path / "plan.json"
    assert hosting.workspace.taskspec("reconcile", "--plan-only", "a", "--out", str(plan)).code == 0
    report = tmp_path / "report.md"
    done = hosting.workspace.taskspec("reconcile", "--plan", str(plan), "--report", f"markdown={report}")
    assert done.code == 6, done
    assert "these are held: `p`" in done.err
    assert hosting.workspace.result("a.txt") == "More."
    assert report.read_text().startswith("### ⛔ Refused")


def test_a_task_that_runs_each_time_and_failed_is_not_done_by_what_it_answered_before(hosting, tmp_path):
    fail = "{cat: {command: [cat]}, flip: {command: [sh, -c, 'cat; test ! -e ../broken']}}"
    again = task("r", agent="flip").replace("spec: {", "spec: {rerun: always, ")
    hosting.commit(taskspec=project(agents=fail) + task("a") + again)
    assert hosting.workspace.taskspec("reconcile").code == 0
    (hosting.folder.parent / "broken").touch()
    assert hosting.workspace.taskspec("reconcile").code == 3
    hosting.commit(taskspec=project(agents=fail) + task("a", "More.") + again)
    plan = tmp_path / "plan.json"
    assert hosting.workspace.taskspec("reconcile", "--plan-only", "a", "--out", str(plan)).code == 0
    done = hosting.workspace.taskspec("reconcile", "--plan", str(plan))
    assert done.code != 0, done
    assert "`r`" in done.err


def test_the_state_of_the_environment_of_a_plan_is_looked_at(hosting, tmp_path):
    body = "environments: {prod: {}}"
    hosting.commit(taskspec=project(body) + task("a"))
    assert hosting.workspace.taskspec("reconcile", "--env", "prod").code == 0
    hosting.commit(taskspec=project(body) + task("a", "More."))
    plan = tmp_path / "plan.json"
    made = hosting.workspace.taskspec("reconcile", "--env", "prod", "--plan-only", "--out", str(plan))
    assert made.code == 0, made
    job = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push"}
    done = hosting.workspace.taskspec("reconcile", "--plan", str(plan), **job)
    assert done.code == 0, done
    assert hosting.workspace.result("prod/a.txt") == "More."


def test_the_settings_of_the_branch_as_it_is_now_hold_wherever_a_merge_request_branched_off(hosting):
    hosting.commit(taskspec=project("variables: {token: {type: string}}", "limits: {maxCreate: 9}") + task("a"))
    old = hosting.git("rev-parse", "HEAD")
    hosting.git("switch", "-qc", "feature")
    hosting.commit(
        taskspec=project("variables: {token: {type: string}}", "limits: {maxCreate: 9}") + task("a", "{{ vars.token }}")
    )
    hosting.git("switch", "-q", "main")
    body = project("variables: {token: {type: string, sensitive: true}}", "limits: {maxCreate: 0}")
    hosting.commit(taskspec=body + task("a"))
    hosting.git("update-ref", "refs/remotes/origin/main", "main")
    hosting.git("switch", "-q", "feature")
    gitlab = {
        "GITLAB_CI": "true",
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_IID": "3",
        "CI_MERGE_REQUEST_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": old,
    }
    done = hosting.workspace.taskspec("reconcile", **gitlab, TASKSPEC_VAR_token=CANARY)
    assert (done.code, CANARY in done.out + done.err) == (6, False), done
    assert "`variables.token.sensitive`" in done.err
    done = hosting.request(base=old, TASKSPEC_VAR_token=CANARY)
    assert done.code == 6, "and so where the job tells of an older commit"


def test_a_submodule_in_the_place_of_the_project_is_not_what_is_trusted(hosting, tmp_path):
    hosting.commit(taskspec=project() + task("a"))
    other = tmp_path / "other"
    other.mkdir()
    (other / "taskspec.yaml").write_text(project(REMOTE) + task("a", agent="x"))
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "theirs")):
        subprocess.run(
            ["git", "-c", "user.name=Eve", "-c", "user.email=eve@example.com", *words], cwd=other, check=True
        )
    hosting.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "inner")
    hosting.git("commit", "-q", "-m", "change")
    for base in ("main", "origin/main"):
        done = hosting.workspace.taskspec("reconcile", "--plan-only", "--base", base, "inner", THE_KEY=CANARY)
        assert done.code == 1, done
        assert "the project is in a submodule" in done.err


def test_a_remote_that_is_proposed_gets_no_request_and_no_key(hosting):
    with listening() as (url, heard), listening() as (evil_url, stolen):
        remote = REMOTE.replace("http://127.0.0.1:9", url)
        hosting.commit(taskspec=project(remote) + task("a", agent="x"))
        hosting.git("switch", "-qc", "feature")
        evil = remote.replace(url, evil_url).replace("THE_KEY", "OTHER_KEY")
        hosting.commit(taskspec=project(evil) + task("a", agent="x"))
        done = hosting.request("--refresh", "full", THE_KEY=CANARY, OTHER_KEY=f"other-{CANARY}")
        assert (set(heard), stolen) == ({CANARY}, [])
    assert done.code == 1, done  # the remote of the base knows nobody
    assert "changes `remote.baseUrl`, `remote.apiKey`: it is planned with what `main` says" in done.err
    assert evil_url not in done.out + done.err


def test_a_variable_of_the_environment_that_only_the_pull_request_allows_is_not_seen(hosting):
    hosting.commit(taskspec=project() + task("a"))
    hosting.git("switch", "-qc", "feature")
    hosting.commit(taskspec=project("env: {allow: [LOOT]}") + task("a", "{{ env.LOOT }}"))
    done = hosting.request(LOOT=CANARY)
    assert done.code == 0, done
    assert "changes `env.allow`" in done.err
    assert "(not known here: env.LOOT)" in done.out


@pytest.mark.parametrize(
    "variables",
    [
        "variables: {token: {type: string}}",
        "variables: {token: {type: string, sensitive: true}, loot: {type: string}}",
    ],
    ids=["its secret made public", "a new variable"],
)
def test_a_secret_that_the_pull_request_makes_public_stays_one(hosting, variables):
    held = "variables: {token: {type: string, sensitive: true}}"
    hosting.commit(taskspec=project(held) + task("a"))
    hosting.git("switch", "-qc", "feature")
    name = "loot" if "loot" in variables else "token"
    hosting.commit(taskspec=project(variables) + task("a", f"{{{{ vars.{name} }}}}"))
    done = hosting.request(TASKSPEC_VAR_token=CANARY, **({"TASKSPEC_VAR_loot": CANARY} if name == "loot" else {}))
    assert done.code == 0, done
    assert f"(sensitive: vars.{name})" in done.out


def test_limits_and_policies_that_a_pull_request_loosens_hold(hosting):
    guards = ("limits: {maxCreate: 1}", "policies: [{name: calm, deny: 'change.task == \"b\"'}]")
    hosting.commit(taskspec=project(*guards) + task("a"))
    hosting.git("switch", "-qc", "feature")
    hosting.commit(taskspec=project() + task("a") + task("b"))
    for is_foreign in (False, True):
        done = hosting.request(is_foreign=is_foreign)
        assert done.code == 6, done
        assert "changes `policies`, `limits.maxCreate`" in done.err
        assert "Refused" in done.out
        assert "calm" in done.out
    assert hosting.request("--override", "maxCreate", "--override", "calm").code == 0


def test_a_pull_request_from_a_fork_is_compared_without_key_state_or_remote(hosting):
    held = ("variables: {token: {type: string, sensitive: true}}", REMOTE)
    hosting.commit(taskspec=project(*held) + task("a", "With {{ vars.token }}.", agent="x") + task("b", agent="x"))
    hosting.git("switch", "-qc", "feature")
    prompt = "More with {{ vars.token }}."
    hosting.commit(taskspec=project(*held) + task("a", prompt, agent="x") + task("b", agent="x"))
    done = hosting.request("--out", "plan.json", is_foreign=True, TASKSPEC_STATE="postgresql://127.0.0.1:9/gone")
    assert done.code == 0, done
    assert "Offline plan: compared with `main`; what has been accepted is not known here." in done.err
    assert "`prompt` changed since main" in done.out
    assert "1 to create, 1 up to date" in done.out
    assert not (hosting.folder / "plan.json").exists()
    assert not (hosting.folder / ".taskspec").exists()
    assert hosting.request("--detailed-exitcode", is_foreign=True).code == 2
    hosting.commit(taskspec=project(*held) + task("a", "{{ vars.tokn }}", agent="x"))
    assert hosting.request(is_foreign=True).code == 1


def test_a_base_without_a_project_is_planned_offline(hosting):
    hosting.commit(readme="# nothing\n")
    hosting.git("switch", "-qc", "feature")
    hosting.commit(taskspec=project("env: {allow: [LOOT]}") + task("a", "{{ env.LOOT }}"))
    done = hosting.request(LOOT=CANARY)
    assert done.code == 0, done
    assert "At `main` there is no project that could be trusted" in done.err
    assert "it is new since main" in done.out


@pytest.mark.parametrize("broken", ["spec: {remot: local}\n", "spec: [\n"])
def test_a_base_that_is_wrong_or_not_there_is_red(hosting, broken):
    hosting.commit(taskspec=project().partition("spec:")[0] + broken)
    hosting.git("switch", "-qc", "feature")
    hosting.commit(taskspec=project() + task("a"))
    done = hosting.request()
    assert done.code == 1, done
    assert "so nobody can tell what is trusted" in done.err
    done = hosting.request("--base", "gone")
    assert done.code == 1, done
    assert "git fetch" in done.err


def test_a_shallow_clone_is_red_with_the_way_out(hosting, tmp_path):
    first = hosting.commit(taskspec=project() + task("a"))
    hosting.commit(taskspec=project() + task("b"))
    source = hosting.folder.rename(tmp_path / "source")
    subprocess.run(
        ["git", "clone", "-q", "--depth", "1", f"file://{source}", str(hosting.folder)], check=True, capture_output=True
    )
    done = hosting.request("--base", first, base="HEAD")
    assert done.code == 1, done
    assert "shallow" in done.err
    assert "fetch-depth: 0" in done.err


def test_a_job_that_does_not_say_with_what_its_request_compares_is_red(hosting):
    hosting.commit(taskspec=project() + task("a"))
    done = hosting.request(base=None, GITHUB_BASE_REF="")
    assert done.code == 1, done
    assert "--base origin/main" in done.err


def test_a_job_of_ours_without_the_key_is_red(hosting):
    hosting.commit(taskspec=project(REMOTE) + task("a", agent="x"))
    hosting.git("switch", "-qc", "feature")
    hosting.commit(taskspec=project(REMOTE) + task("a", "More.", agent="x"))
    done = hosting.request()
    assert done.code == 7, done
    assert "THE_KEY" in done.err


def test_a_job_applies_nothing_with_a_state_that_the_next_job_does_not_have(hosting):
    hosting.commit(taskspec=project() + task("a"))
    job = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push"}
    done = hosting.workspace.taskspec("reconcile", **job)
    assert done.code == 7, done
    assert "nothing was started: the state is kept in this folder" in done.err
    assert not (hosting.folder / "results").exists()
    done = hosting.workspace.taskspec("reconcile", **job, TASKSPEC_STATE="local")
    assert done.code == 0, done


@pytest.mark.parametrize(
    "arguments",
    [
        ["--out", "plan.json"],
        ["--expires", "1d", "--plan-only"],
        ["--expect-digest", "x"],
        ["--plan", "plan.json", "--plan-only"],
        ["--plan", "plan.json", "a"],
        ["--plan", "plan.json", "--since", "main"],
        ["--offline"],
        ["--since=-x", "--plan-only"],
    ],
    ids=" ".join,
)
def test_options_that_make_no_sense_together_are_refused(hosting, arguments):
    hosting.commit(taskspec=project() + task("a"))
    done = hosting.workspace.taskspec("reconcile", *arguments)
    assert done.code == 64, done


CHECK = ("reconcile", "--plan-only", "--refresh", "full", "--detailed-exitcode")
"""The check for drift, as the pipelines run it each day."""


@pytest.fixture
def drifted(hosting):
    """Two accepted tasks, and the run of the first one was stopped on the remote since."""
    hosting.commit(taskspec=project() + task("a") + task("b"))
    workspace = hosting.workspace
    assert workspace.apply().code == 0
    assert workspace.taskspec(*CHECK).code == 0
    run = json.loads(workspace.result("a.provenance.json"))["run"]
    assert workspace.taskspec("tasks", "update", run, "--status", "stopped").code == 0
    return hosting


def test_the_check_for_drift_tells_in_every_report_of_an_accepted_run_that_was_stopped(drifted, tmp_path):
    reports = [tmp_path / "report.md", tmp_path / "report.jsonl", tmp_path / "report.html"]
    names = ("markdown", "jsonl", "html")
    wanted = [word for name, path in zip(names, reports, strict=True) for word in ("--report", f"{name}={path}")]
    done = drifted.workspace.taskspec(*CHECK, *wanted)
    assert done.code == 2, done
    assert done.out == (
        "Drift: 1 task.\n\n  ~ a  completed → stopped\n      the result of g1 is accepted\n"
        "  → `taskspec apply --refresh-only` takes notice of what the run of a shows; it starts nothing.\n\n"
        "shop: 2 tasks recorded, 2 runs looked at.\n\nNothing is to be done.\n\nshop: 2 up to date.\n"
    )
    markdown, lines, page = (path.read_text() for path in reports)
    assert markdown.startswith("### 📝 Drifted · shop\n")
    assert "- Drift of `a`: completed → stopped; the result of g1 is accepted." in markdown
    note = "Drift of `a`: completed → stopped; the result of g1 is accepted."
    assert json.loads(lines.splitlines()[-1]) == {"notes": [note]}
    assert "1 task has drifted. The plan has nothing to do." in page
    done = drifted.workspace.taskspec(*CHECK, "--json")
    assert (done.code, done.json["summary"]["counts"], done.err) == (2, {"none": 2}, f"{note}\n")
    assert drifted.workspace.taskspec(*CHECK, "--quiet").out.startswith("Drift: 1 task.")


def test_drift_is_looked_for_among_what_is_selected_and_is_nothing_graver_than_it_is(drifted):
    workspace = drifted.workspace
    assert workspace.taskspec(*CHECK, "--exclude", "a").code == 0
    assert workspace.taskspec(*CHECK, "--exclude", "a", "--quiet").out == "shop: 1 up to date, 1 not selected.\n"
    assert workspace.taskspec(*CHECK[:-1]).code == 0, "only where details are asked for"
    assert workspace.taskspec("reconcile", "--plan-only", "--detailed-exitcode").code == 0, "nobody looked"
    bad = project(agents="{cat: {command: [cat]}, no: {command: [sh, -c, exit 1]}}")
    drifted.commit(taskspec=bad + task("a") + task("b") + task("bad", agent="no"))
    assert workspace.apply().code == 3
    done = workspace.taskspec(*CHECK)
    assert (done.code, "Drift: 1 task." in done.out) == (3, True)
    assert [line for line in done.out.splitlines() if line.startswith("  ! ")] == [], "that is for the plan to tell"


def test_drift_is_no_matter_of_a_pull_request(drifted):
    drifted.git("switch", "-qc", "feature")
    done = drifted.request(*CHECK[1:])
    assert (done.code, "rift" in done.out + done.err) == (0, False)


def test_an_accepted_run_that_drifted_stays_so_until_somebody_takes_notice_or_asks_anew(drifted):
    workspace = drifted.workspace
    for again in ((), ("--refresh=full",)):
        assert workspace.apply(*again).code == 0
        assert workspace.taskspec(*CHECK).code == 2, "an apply takes no notice of it"
    assert workspace.apply("--refresh-only").code == 0
    assert workspace.taskspec(*CHECK).code == 0
    run = workspace.records()["a"].accepted.run
    assert workspace.taskspec("tasks", "update", run, "--status", "failed").code == 0
    assert workspace.taskspec(*CHECK).code == 2
    assert workspace.apply("--rerun", "a").code == 0
    assert workspace.taskspec(*CHECK).code == 0


def test_where_a_plan_was_saved_is_said_behind_it(hosting):
    hosting.commit(taskspec=project() + task("a"))
    for words in (["plan"], ["reconcile", "--plan-only"]):
        done = hosting.workspace.start(*words, "--out", "plan.json", stderr=subprocess.STDOUT).wait()
        assert done.code == 0, done
        assert done.out.splitlines()[-1].startswith("Saved as plan.json (sha256:"), done


def test_since_selects_what_differs_for_plan_and_apply(hosting):
    hosting.commit(taskspec=project() + task("a") + task("b", "On {{ tasks.a.result }}.") + task("c"))
    assert hosting.workspace.apply().code == 0
    hosting.commit(taskspec=project() + task("a", "More.") + task("b", "On {{ tasks.a.result }}.") + task("c", "New."))
    hosting.commit(taskspec=project() + task("a", "Most.") + task("b", "On {{ tasks.a.result }}.") + task("c", "New."))
    assert set(hosting.workspace.planned("--since", "HEAD~1")) == {"a", "b"}
    assert set(hosting.workspace.planned("--since", "HEAD~2", "--exclude", "a")) == {"b", "c"}
    assert hosting.workspace.planned("--since", "HEAD") == {}
    assert hosting.workspace.apply("--since", "HEAD~1").code == 0
    assert hosting.workspace.result("b.txt") == "On Most.."
    assert hosting.workspace.result("c.txt") == "Hello."
    done = hosting.workspace.apply("--since", "HEAD")
    assert done.code == 0, done
