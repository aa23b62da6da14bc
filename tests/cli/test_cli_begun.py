"""A run that goes on and is not waited for is no task that is done, whichever report tells of it."""

import pytest


@pytest.mark.parametrize("earlier", [0, 1])
def test_runs_that_go_on_are_begun_and_not_done(checkout, tmp_path, monkeypatch, earlier):
    monkeypatch.setenv("TASKSPEC_STATE", "local")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    checkout.task("a", ["executing"] * 1000)
    checkout.task("b")
    assert checkout.apply("b").code == 0
    for _ in range(earlier):  # then the run is only found again
        assert checkout.apply("--no-wait").code == 0
    reports = {form: tmp_path / form for form in ("markdown", "html", "junit")}
    asked = [word for form, path in reports.items() for word in ("--report", f"{form}={path}")]
    done = checkout.taskspec("reconcile", "--no-wait", *asked)
    assert done.code == 0, done
    markdown, html, junit = (path.read_text() for path in reports.values())
    assert markdown.startswith("### 📝 Begun")
    assert "<summary>📝 <code>a</code>" in markdown
    assert "1 run goes on, and nobody waits for the end. 1 task healthy." in html
    assert '<skipped message="begun: run run-2 goes on"' in junit
    assert 'skipped="1"' in junit
    assert "\nbegun\n" in (tmp_path / "output").read_text()
