"""The state is looked after: listed, shown, moved, pulled, pushed, and its history told. Through the command line."""

import json
import re
import sqlite3
import stat

import pytest

from taskspec.contracts import Contract, load_schema

CANARY = "c4n4ry-s3cret-9f"
SEALED = Contract(load_schema("state.v1"))


@pytest.fixture
def applied(workspace):
    """A project with two tasks that are accepted."""
    workspace.project()
    workspace.tasks(a={"agent": "echo", "prompt": "one"}, b={"agent": "echo", "prompt": "two"})
    assert workspace.apply().code == 0
    return workspace


def database(workspace, sql, environment="default"):
    connection = sqlite3.connect(workspace.folder / ".taskspec" / environment / "state.db")
    with connection:
        found = connection.execute(sql).fetchall()
    connection.close()
    return found


def pulled(workspace, *arguments):
    done = workspace.taskspec("state", "pull", *arguments)
    assert done.code == 0, done
    return done.out


def put_aside(workspace, text, name="kept.json"):
    workspace.write(name, text)
    return name


def head_of(done):
    return re.search(r"^Head of the history: ([0-9a-f]{64})$", done.out, re.MULTILINE)[1]


def test_what_is_recorded_is_listed_although_no_manifest_is_right(applied):
    applied.write("tasks.yaml", "kind: [Task\n")
    done = applied.taskspec("state", "list")
    assert done.code == 0
    rows = [line.split() for line in done.out.splitlines()]
    assert rows[0] == ["ADDRESS", "GENERATION", "ATTEMPTS", "VERDICT", "ACCEPTED", "AGE", "AGENT"]
    assert [[*row[:5], row[6]] for row in rows[1:]] == [[name, "g1", "1", "accepted", "g1", "echo"] for name in "ab"]
    listed = applied.taskspec("state", "list", "b", "--json").json
    assert listed.keys() == {"lineage", "serial", "head", "records"}
    (row,) = listed["records"]
    assert (row["address"], row["verdict"], row["accepted"]["generation"]) == ("b", "accepted", 1)


def test_everything_of_an_address_is_shown_and_what_an_agent_said_is_harmless(workspace):
    workspace.shell("evil", r"printf 'boom \033[2J\007 ::error::x' >&2; exit 3")
    workspace.project(variables={"key": {"type": "string", "sensitive": True}})
    workspace.tasks(a={"agent": "evil", "prompt": "Say {{ vars.key }}"})
    workspace.apply("--var", f"key={CANARY}")
    done = workspace.taskspec("state", "show", "a")
    assert done.code == 0
    assert done.out.startswith("a  g1, failed\n")
    for said in (
        "attempt 1  run ",
        "verdict    failed",
        "spec, secrets masked",
        r"boom \x1b[2J\x07",
    ):
        assert said in done.out, done
    assert "\x1b" not in done.out
    assert CANARY not in done.out
    shown = workspace.taskspec("state", "show", "a", "--json").json
    assert shown["record"]["generation"]["attempts"][0]["verdict"] == "failed"
    assert [attempt["verdict"] for attempt in shown["attempts"]] == ["failed"]
    assert [entry["what"] for entry in shown["history"]] == ["ended", "bound", "intended"]


def test_the_attempts_of_generations_before_are_shown_from_the_history(applied):
    first = applied.standing("a")["run"]
    applied.tasks(a={"agent": "echo", "prompt": "other"}, b={"agent": "echo", "prompt": "two"})
    assert applied.apply().code == 0
    done = applied.taskspec("state", "show", "a")
    assert f"g1.1  run {first}, accepted" in done.out
    assert "next       g3" in done.out
    assert applied.taskspec("forget", "a", "--yes").code == 0
    gone = applied.taskspec("state", "show", "a")
    assert gone.code == 0
    assert "a  has left the state" in gone.out
    assert "left the state; its result of g2 stays  by hand" in gone.out


@pytest.mark.parametrize("command", [["state", "show"], ["history"]])
def test_an_address_that_was_never_heard_of_is_told(applied, command):
    done = applied.taskspec(*command, "nothing")
    assert done.code == 64
    assert "Nothing is recorded of `nothing`, and nothing has happened to it." in done.err


def test_what_is_moved_by_hand_goes_on_under_its_new_name(applied):
    run = applied.standing("a")["run"]
    assert "a → first" in applied.taskspec("state", "mv", "a", "first", "--dry-run").out
    assert list(applied.records()) == ["a", "b"]
    refused = applied.taskspec("state", "mv", "a", "first")
    assert (refused.code, list(applied.records())) == (64, ["a", "b"])
    done = applied.taskspec("state", "mv", "a", "first", "--yes")
    assert done.code == 0
    assert "first: was a; its record and its results go on under this name" in done.out
    assert sorted(path.name for path in (applied.folder / "results").glob("*.txt")) == ["b.txt", "first.txt"]
    applied.tasks(first={"agent": "echo", "prompt": "one"}, b={"agent": "echo", "prompt": "two"})
    assert applied.planned() == {"first": "update", "b": "none"}  # its title is its name
    assert applied.standing("first")["run"] == run
    assert "  a  moved to first  by hand\n" in applied.taskspec("history", "a").out
    assert "  first  moved here from a  by hand\n" in applied.taskspec("history", "first").out


def test_a_task_is_moved_with_all_of_its_cells_or_not_at_all(workspace):
    workspace.project()
    spec = {"agent": "echo", "matrix": {"q": ["q1", "the q2"]}, "prompt": "{{ matrix.q }}"}
    workspace.tasks(report=spec, taken={"agent": "echo", "prompt": "x"})
    assert workspace.apply().code == 0
    for arguments, says in (
        (("report", "taken[q9]"), "is the address of one"),
        (("report[q1]", "taken"), "`taken` is recorded already"),
        (("nothing", "x"), "`nothing` has never been applied"),
        (("report*", "x"), "is not an address"),
        (("report", "report"), "has that name already"),
    ):
        done = workspace.taskspec("state", "mv", *arguments, "--yes")
        assert done.code == 64
        assert says in done.err
    assert workspace.taskspec("state", "mv", "report", "rapport", "--yes", "--json").code == 0
    assert list(workspace.records()) == ['rapport["the q2"]', "rapport[q1]", "taken"]
    assert workspace.taskspec("state", "mv", "rapport[q1]", "single", "--yes").code == 0
    assert workspace.result("single.txt") == "q1"


def test_no_generation_is_numbered_twice_under_the_name_of_a_forgotten_one(applied):
    assert applied.taskspec("forget", "b", "--yes").code == 0
    assert applied.taskspec("state", "mv", "a", "b", "--yes").code == 0
    applied.tasks(b={"agent": "echo", "prompt": "three"})
    assert applied.apply().code == 0
    assert applied.standing("b")["generation"] == 2


def test_a_run_that_is_active_goes_on_under_the_new_name(workspace):
    workspace.shell("gated", "cat; until [ -e gate ]; do sleep 0.05; done")
    workspace.project()
    workspace.tasks(a={"agent": "gated", "prompt": "hi"})
    with workspace.serving():
        assert workspace.apply("--no-wait").code == 0
        assert workspace.taskspec("state", "mv", "a", "b", "--yes").code == 0
        workspace.tasks(b={"agent": "gated", "prompt": "hi"})
        assert workspace.planned() == {"b": "wait"}
        (workspace.folder / "gate").touch()
        assert workspace.apply().code == 0
    assert workspace.result("b.txt") == "hi"


def test_a_push_that_leaves_a_run_to_itself_says_so(workspace):
    workspace.shell("gated", "cat; until [ -e gate ]; do sleep 0.05; done")
    workspace.project()
    workspace.tasks(a={"agent": "gated", "prompt": "hi"})
    with workspace.serving():
        assert workspace.apply("--no-wait").code == 0
        document = json.loads(pulled(workspace))
        put_aside(workspace, json.dumps(document | {"serial": document["serial"] + 1, "records": []}))
        done = workspace.taskspec("state", "push", "kept.json", "--yes")
        assert (done.code, "the run of a may be at work, and is recorded no more" in done.out) == (0, True), done
        document["records"][0]["address"] = "b"
        put_aside(workspace, json.dumps(document | {"serial": document["serial"] + 2}))
        assert workspace.taskspec("state", "push", "kept.json", "--yes", "--json").json["abandoned"] == []
        (workspace.folder / "gate").touch()


def test_a_state_that_is_pulled_is_the_same_wherever_it_is_pushed(applied, tmp_path):
    text = pulled(applied)
    assert pulled(applied) == text
    assert not SEALED.violations(json.loads(text))
    out = applied.taskspec("state", "pull", "--out", "kept.json")
    assert (out.code, out.out, (applied.folder / "kept.json").read_text()) == (0, "", text)
    assert stat.S_IMODE((applied.folder / "kept.json").stat().st_mode) == 0o600
    (applied.folder / ".taskspec").rename(tmp_path / "old")
    assert applied.taskspec("state", "pull").code == 1
    done = applied.taskspec("state", "push", "kept.json", "--yes")
    assert done.code == 0
    assert "Here: nothing yet. Pushed: serial" in done.out
    assert pulled(applied) == text
    assert applied.planned() == {"a": "none", "b": "none"}
    assert applied.taskspec("history", "verify").code == 0
    again = applied.taskspec("state", "push", "kept.json", "--yes")
    assert (again.code, "already: nothing is to be done" in again.out) == (0, True)


@pytest.mark.parametrize("spoil", ["DELETE FROM history", "UPDATE history SET hash = 'x'"])
def test_a_state_whose_history_is_damaged_is_not_pulled_and_said_to_be(applied, spoil):
    database(applied, spoil)
    done = applied.taskspec("state", "pull", "--out", "kept.json")
    assert done.code == 1
    assert "The history is damaged" in done.err
    assert "history verify" in done.err
    assert not (applied.folder / "kept.json").exists()


def test_a_pulled_state_that_was_edited_is_taken_with_a_higher_serial(applied):
    document = json.loads(pulled(applied))
    document["records"] = [record for record in document["records"] if record["address"] == "a"]
    put_aside(applied, json.dumps(document))
    same = applied.taskspec("state", "push", "kept.json", "--yes")
    assert (same.code, "another one of the same serial" in same.err) == (7, True)
    document["serial"] += 1
    put_aside(applied, json.dumps(document))
    unasked = applied.taskspec("state", "push", "kept.json")
    assert (unasked.code, len(applied.records())) == (64, 2)
    done = applied.taskspec("state", "push", "kept.json", "--yes")
    assert done.code == 0
    assert "- b  recorded only here: it is forgotten" in done.out
    assert list(applied.records()) == ["a"]


def test_a_document_that_would_forget_what_was_paid_for_is_refused_and_can_be_forced(applied):
    before = put_aside(applied, pulled(applied))
    applied.tasks(a={"agent": "echo", "prompt": "other"}, b={"agent": "echo", "prompt": "two"})
    assert applied.apply().code == 0
    serial = json.loads(pulled(applied))["serial"]
    older = applied.taskspec("state", "push", before, "--yes")
    assert (older.code, "is older" in older.err) == (7, True)
    raised = json.loads((applied.folder / before).read_text()) | {"serial": serial + 5}
    put_aside(applied, json.dumps(raised), "raised.json")
    forked = applied.taskspec("state", "push", "raised.json", "--yes", "--json")
    assert (forked.code, "lacks what has happened here" in forked.err) == (7, True)
    forced = applied.taskspec("state", "push", before, "--yes", "--force")
    assert forced.code == 0
    assert "! forced: the document is older" in forced.out
    assert "4 entries of the history here, and not in what is pushed" in forced.out
    assert json.loads(pulled(applied))["serial"] == serial + 1
    assert applied.taskspec("history", "verify").code == 0


def test_a_state_of_another_lineage_or_environment_is_refused(applied):
    workspace = applied
    workspace.project(environments={"prod": {}})
    kept = put_aside(workspace, pulled(workspace))
    other = workspace.taskspec("state", "push", kept, "--yes", "--env", "prod")
    assert (other.code, "environment `default`, and this is `prod`" in other.err) == (7, True)
    assert workspace.apply("--env", "prod").code == 0
    foreign = json.loads(pulled(workspace, "--env", "prod")) | {"environment": "default", "serial": 99}
    put_aside(workspace, json.dumps(foreign))
    done = workspace.taskspec("state", "push", "kept.json", "--yes")
    assert (done.code, "of the lineage" in done.err) == (7, True)


@pytest.mark.parametrize("rubbish", ["", "hello", "[]", '{"version": 4, "lineage": "x", "serial": 3}', "\udcff"])
def test_rubbish_is_told_and_changes_nothing(applied, rubbish):
    before = pulled(applied)
    (applied.folder / "kept.json").write_bytes(rubbish.encode("utf-8", "surrogateescape"))
    for more in ((), ("--force",)):
        done = applied.taskspec("state", "push", "kept.json", "--yes", *more)
        assert done.code == 1
        assert "is no state that can be pushed" in done.err
    assert pulled(applied) == before


def test_numbers_and_characters_that_none_could_keep_are_told(applied):
    text = pulled(applied)
    for wrong, says in [
        (re.sub(r'"intendedAt": [0-9.]+', '"intendedAt": 1e999', text, count=1), "the number 1e999 is too large"),
        (re.sub(r'"run": "', r'"run": "\\ud800', text, count=1), "half of a character"),
        (re.sub(r'"address": "a", "at"', r'"address": "\\ud800", "at"', text, count=1), "not an address"),
    ]:
        put_aside(applied, wrong)
        done = applied.taskspec("state", "push", "kept.json", "--yes", "--force")
        assert (done.code, says in done.err) == (1, True), done
        assert "bug" not in done.err
    assert pulled(applied) == text


def test_a_state_that_has_lost_a_result_is_not_pulled_as_if_it_were_whole(applied):
    lost = json.loads(pulled(applied))["records"][0]["accepted"]["result"]["digest"]
    database(applied, f"DELETE FROM results WHERE digest = '{lost}'")
    done = applied.taskspec("state", "pull", "--out", "copy.json")
    assert (done.code, lost in done.err, "`a`" in done.err) == (1, True, True), done
    assert "--no-results" in done.err
    assert not (applied.folder / "copy.json").exists()
    assert applied.taskspec("state", "pull", "--no-results", "--out", "copy.json").code == 0


def test_a_document_without_results_needs_them_where_it_is_pushed(applied, tmp_path):
    document = json.loads(pulled(applied, "--no-results"))
    assert document["results"] is None
    put_aside(applied, json.dumps(document | {"serial": document["serial"] + 1}))
    assert applied.taskspec("state", "push", "kept.json", "--yes").code == 0
    assert applied.taskspec("results", "a").out == "one"
    (applied.folder / ".taskspec").rename(tmp_path / "old")
    done = applied.taskspec("state", "push", "kept.json", "--yes")
    assert (done.code, "The document has no results" in done.err) == (1, True)


def test_no_secret_is_in_what_is_pulled_listed_or_told(workspace):
    import base64
    from urllib.parse import quote

    secret = "c4n4ry/s3cret 9f"
    workspace.project(variables={"key": {"type": "string", "sensitive": True}}, env={"allow": ["TOKEN"]})
    workspace.tasks(
        a={
            "agent": "slow-less",
            "prompt": "Use {{ vars.key }}",
            "userOidcToken": secret,
            "userTokens": {"crm": secret},
            "mcpServers": [{"name": "m", "url": "https://mcp.test/x", "headers": {"authorization": secret}}],
        }
    )
    workspace.agents["slow-less"] = {"command": ["sh", "-c", "cat > /dev/null; echo done"]}
    workspace.project(variables={"key": {"type": "string", "sensitive": True}})
    assert workspace.apply("--var", f"key={secret}").code == 0
    told = pulled(workspace)
    for command in (["state", "list"], ["state", "show", "a"], ["history"]):
        for more in ([], ["--json"]):
            told += workspace.taskspec(*command, *more).out
    for form in (secret, base64.b64encode(secret.encode()).decode(), quote(secret), quote(secret, safe="")):
        assert form not in told


def test_the_history_tells_what_happened_newest_first_and_who_asked(applied):
    plan = next(event["plan"] for event in applied.apply("--json").events if event["event"] == "ApplyStarted")
    assert plan not in applied.taskspec("history").out
    done = applied.taskspec("history", "a")
    assert done.code == 0
    lines = [re.sub(r"^.{19} +\d+  ", "", line) for line in done.out.splitlines()]
    assert [re.sub(r"plan \w+|run [\w-]{36}|\d+\.\ds", "…", line) for line in lines] == [
        "a g1.1  ended (completed): accepted in …  …",
        "a g1.1  … has begun  …",
        "a g1.1  a run of echo is to be asked for  …",
    ]
    told = applied.taskspec("history", "--json", "--limit", "2").json
    assert [entry["what"] for entry in told["entries"]] == ["ended", "ended"]
    assert told["head"] == told["entries"][0]["hash"]
    assert len(applied.taskspec("history", "--json").json["entries"]) == 6
    assert len(applied.taskspec("history", "--since", "1h", "--json").json["entries"]) == 6
    assert applied.taskspec("history", "--since", "2099-01-01", "--json").json["entries"] == []
    assert applied.taskspec("history", "--since", "yesterday").code == 64


def test_the_head_is_told_at_the_end_of_an_apply_and_verified_later(applied):
    done = applied.apply()
    head = head_of(done)
    assert applied.taskspec("history", "verify", "--head", head).code == 0
    applied.tasks(a={"agent": "echo", "prompt": "other"}, b={"agent": "echo", "prompt": "two"})
    finished = applied.apply("--json").events[-1]
    assert (finished["event"], finished["head"] != head) == ("ApplyFinished", True)
    verified = applied.taskspec("history", "verify", "--head", head)
    assert verified.code == 0
    assert "The history is whole: 10 entries" in verified.out
    assert head_of(verified) == finished["head"] == head_of(applied.taskspec("history"))
    wrong = applied.taskspec("history", "verify", "--head", "0" * 64)
    assert (wrong.code, "No entry has the given head" in wrong.out) == (1, True)
    assert applied.taskspec("history", "verify", "--head", head[:12]).code == 64


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("UPDATE history SET note = replace(note, 'accepted', 'rejected') WHERE id = 5", "Entry 5 of 6 (serial"),
        ("UPDATE history SET serial = 9 WHERE id = 3", "Entry 3 of 6 (serial 9"),
        ("DELETE FROM history WHERE id = 2", "Entry 2 of 5"),
        ("DELETE FROM history WHERE id = 6", "No entry has the head of the state"),
        ("INSERT INTO history SELECT 99, serial, address, note, hash FROM history WHERE id = 1", "Entry 7 of 7"),
        ("UPDATE meta SET head = '0'", "No entry has the head of the state"),
    ],
)
def test_whatever_is_changed_in_the_history_is_found(applied, sql, says):
    database(applied, sql)
    done = applied.taskspec("history", "verify")
    assert (done.code, says in done.out) == (1, True), done
    assert applied.taskspec("history", "verify", "--json").json["intact"] is False


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE history SET address = 'b' WHERE id = 1",
        "UPDATE history SET note = '{}' WHERE id = 3",
        "UPDATE meta SET head = ''",
    ],
)
def test_a_history_that_cannot_be_read_is_no_whole_one(applied, sql):
    database(applied, sql)
    done = applied.taskspec("history", "verify")
    assert (done.code, "is damaged" in done.err) == (1, True), done
    assert applied.taskspec("doctor", "--offline").code == 1


def test_a_history_that_was_written_anew_is_told_by_a_head_that_was_kept(applied):
    head = head_of(applied.apply())
    document = json.loads(pulled(applied))
    from taskspec.state.chaining import linked, root
    from taskspec.state.encoding import note_of

    newest = root(document["lineage"])
    document["history"] = [entry for entry in document["history"] if entry["address"] == "a"]
    for entry in reversed(document["history"]):
        note = note_of({name: entry[name] for name in ("address", "at", "what", "data")})
        entry["hash"] = newest = linked(newest, entry["serial"], note)
    document |= {"head": newest, "serial": document["serial"] + 1}
    put_aside(applied, json.dumps(document))
    assert applied.taskspec("state", "push", "kept.json", "--yes").code == 7
    assert applied.taskspec("state", "push", "kept.json", "--yes", "--force").code == 0
    assert applied.taskspec("history", "verify").code == 0
    assert applied.taskspec("history", "verify", "--head", head).code == 1


def test_a_task_that_is_named_like_a_command_of_the_history_has_one_too(workspace):
    workspace.project()
    workspace.tasks(verify={"agent": "echo", "prompt": "one"})
    assert workspace.taskspec("history").code == 0
    assert workspace.taskspec("history", "verify").code == 0
    assert workspace.apply().code == 0
    assert "verify g1.1  ended" in workspace.taskspec("history", "show", "verify").out
