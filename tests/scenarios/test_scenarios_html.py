"""`taskspec report`, and the HTML report of an apply: what is recorded is told, and never better than it is."""

import re


def test_a_report_tells_how_tasks_stand_with_their_history(workspace):
    workspace.shell("fail", "echo '<b>no</b>' >&2; exit 3")
    workspace.project()
    empty = workspace.taskspec("report", "--out", "empty.html")
    page = (workspace.folder / "empty.html").read_text("utf-8")
    assert (empty.code, "No task" in page) == (1, True)

    first = {"agent": "echo", "prompt": "Say <script>one</script> twice, and say it slowly."}
    workspace.tasks(good=first, then={"agent": "echo", "prompt": "{{ tasks.good.result }}!"})
    assert workspace.apply().code == 0
    second = {**first, "prompt": "Say <script>two</script> twice, and say it slowly."}
    workspace.tasks(
        good=second, then={"agent": "echo", "prompt": "{{ tasks.good.result }}!"}, bad={"agent": "fail", "prompt": "x"}
    )
    assert workspace.apply("--report", "html=applied.html").code == 3

    told = workspace.taskspec("report", "--out", "folder/standing.html")
    assert (told.code, told.out) == (3, "")
    for name in ("applied.html", "folder/standing.html"):
        page = (workspace.folder / name).read_text("utf-8")
        assert "1 task has no accepted result." in page
        assert page.count('class="inner generation"') == 5
        assert "The answer against that of g1" in page
        assert re.search(r'<del class="word">one</del><ins class="word">two</ins>', page)
        assert "<script>one" not in page
        assert "&lt;b&gt;no&lt;/b&gt;" in page
    one = workspace.taskspec("report", ".", "good", "--out", "-")
    assert one.code == 0
    assert one.out.startswith("<!doctype html>")
    assert 'id="task-good"' in one.out
    assert 'id="task-bad"' not in one.out
    assert workspace.taskspec("report", "--out", "told.jsonl", "--format", "jsonl").code == 3


def test_a_report_that_cannot_be_written_is_an_error(workspace):
    workspace.project()
    workspace.write("file", "")
    told = workspace.taskspec("report", "--out", "file/report.html")
    assert told.code == 1
    assert "Traceback" not in told.err
    assert workspace.taskspec("report").code == 64
