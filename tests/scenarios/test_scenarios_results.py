"""Results that others use or that stand in the results folder, when something has happened to them."""

import json


def test_what_uses_a_result_that_is_damaged_is_held_until_it_is_back_or_made_again(workspace):
    workspace.shell("long", 'word=$(cat); yes "$word" | head -n 100000')
    workspace.shell("count", "wc -l")
    workspace.project()
    use = {"agent": "count", "prompt": "{{ tasks.book.result }}"}
    after = {"agent": "echo", "prompt": "{{ tasks.lines.result }}"}
    workspace.tasks(book={"agent": "long", "prompt": "once"}, lines=use, note=after)
    assert workspace.apply().code == 0
    (blob,) = (path for path in (workspace.folder / ".taskspec/default/blobs").rglob("*") if path.is_file())
    content = blob.read_bytes()
    blob.write_bytes(content[:-5] + b"ecno\n")
    planned = workspace.taskspec("plan", "--json")
    assert planned.code == 1
    assert {change["address"]: change["action"] for change in planned.json["changes"]} == {
        "book": "none",
        "lines": "hold",
        "note": "blocked",
    }
    assert "change `book`, so that it runs again" in planned.out
    assert workspace.apply().code == 1
    blob.write_bytes(content)
    assert workspace.taskspec("plan", "--detailed-exitcode").code == 0
    blob.unlink()
    workspace.tasks(book={"agent": "long", "prompt": "again"}, lines=use, note=after)
    assert workspace.apply().code == 0
    assert workspace.taskspec("plan", "--detailed-exitcode").code == 0


def test_a_result_file_of_another_run_gives_way_although_it_is_as_long(workspace):
    workspace.project()
    workspace.tasks(a={"agent": "echo", "prompt": "one"})
    assert workspace.apply().code == 0
    older = {path.name: path.read_bytes() for path in (workspace.folder / "results").iterdir()}
    workspace.tasks(a={"agent": "echo", "prompt": "two"})
    assert workspace.apply().code == 0
    for name, content in older.items():
        (workspace.folder / "results" / name).write_bytes(content)
    done = workspace.apply("--json")
    assert [event["event"] for event in done.events if event["event"].startswith("Result")] == ["ResultWritten"]
    assert workspace.result("a.txt") == "two"
    assert json.loads(workspace.result("a.provenance.json"))["generation"] == 2


def test_each_cell_is_one_task_whatever_its_value(workspace):
    values = ["*", "?", "a b", "x,y", 'say "hi"', "a/b", "back\\slash", "[*]", "é"]
    workspace.project()
    used = "{{ tasks['from[' ~ (matrix.v if matrix.v == 'é' else matrix.v | tojson) ~ ']'].result }}"
    workspace.tasks(
        **{"from": {"agent": "echo", "prompt": "<{{ matrix.v }}>", "matrix": {"v": values}}},
        to={"agent": "echo", "matrix": {"v": values}, "prompt": used},
    )
    assert workspace.apply().code == 0
    found = workspace.taskspec("results", "--json", "to").json["results"]
    assert sorted(result["content"] for result in found) == sorted(f"<{value}>" for value in values)
    for result in found:
        assert workspace.taskspec("results", result["address"]).out == result["content"]
    assert workspace.taskspec("plan", "--detailed-exitcode").code == 0


def test_older_answers_are_read_compared_and_exported_through_the_command_line(workspace):
    workspace.project()
    task = {"agent": "echo", "prompt": "=1+1 \x1b[2J::error::"}
    workspace.tasks(export=task, prune={"agent": "echo", "prompt": "b"})
    assert workspace.apply().code == 0
    workspace.tasks(export=task | {"prompt": "=1+2"}, prune={"agent": "echo", "prompt": "b"})
    assert workspace.apply().code == 0
    assert workspace.taskspec("results", "show", "export").out == "=1+2"
    assert workspace.taskspec("results", "show", "export", "--generation", "g1").out == task["prompt"]
    compared = workspace.taskspec("results", "show", "export", "--diff", "g1", "g2")
    assert (compared.code, "\x1b" in compared.out) == (0, False)
    told = workspace.taskspec("results", "show", "export", "--diff", "g1", "g2", "--json").json
    assert [told["before"]["content"], told["after"]["content"]] == [task["prompt"], "=1+2"]
    assert told["asked"][0]["path"] == "prompt"
    for wrong in (("--diff", "g1", "g9"), ("--diff", "1", "2"), ("--history", "--generation", "g1")):
        assert workspace.taskspec("results", "show", "export", *wrong).code == 64
    assert workspace.taskspec("results", "--history").code == 64, "of one address at a time"
    table = workspace.taskspec("results", "export", "--out", "-", "--format", "csv")
    assert [line.rpartition(",")[2] for line in table.out.splitlines()] == ["content", "'=1+2", "b"]
    (workspace.folder / "mine.csv").write_text("mine")
    refused = workspace.taskspec("results", "export", "--out", "mine.csv")
    assert (refused.code, (workspace.folder / "mine.csv").read_text()) == (1, "mine")
    document = workspace.taskspec("results", "export", "prune", "--out", "-").json
    assert [one["content"] for one in document["results"]] == ["b"]
    assert workspace.taskspec("results", "export", "--out", "-", "--format", "files").code == 64
    assert workspace.taskspec("results", "prune", "--yes").code == 0


def test_an_answer_that_was_not_accepted_is_named_printed_and_shown_where_it_went_wrong(workspace):
    workspace.project()
    workspace.tasks(line={"agent": "echo", "prompt": "short and bold", "assertions": [{"regex": "Innovation"}]})
    assert workspace.apply("--report", "markdown=told.md").code == 3
    told = (workspace.folder / "told.md").read_text("utf-8")
    assert "The answer that was not accepted, of g1 (14 bytes)</summary>\n\n```text\nshort and bold\n" in told
    refused = workspace.taskspec("results", "line")
    assert refused.code == 64
    assert "`taskspec results line --generation g1` prints the answer that was not accepted." in refused.err
    assert workspace.taskspec("results", "line", "--generation", "g1").out == "short and bold"
    never = {"agent": "echo", "prompt": "{{ tasks.line.result }}"}
    workspace.tasks(
        line={"agent": "echo", "prompt": "short and bold", "assertions": [{"regex": "Innovation"}]}, never=never
    )
    assert workspace.apply().code == 3
    assert "--generation" not in workspace.taskspec("results", "never").err
