"""What is wrong with tasks that were not selected, where the exit code is about it: no report leaves the reason out."""


def test_a_result_file_of_another_task_that_is_not_written_is_named_in_every_report(checkout, tmp_path, monkeypatch):
    monkeypatch.setenv("TASKSPEC_STATE", "local")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    names = [f"t{number}" for number in range(7)]
    for name in ("a", *names):
        checkout.task(name)
    assert checkout.apply().code == 0
    for name in names:
        file = checkout.folder / "results" / f"{name}.txt"
        file.unlink()
        file.mkdir()
    reports = {form: tmp_path / form for form in ("markdown", "html", "junit")}
    asked = [word for form, path in reports.items() for word in ("--report", f"{form}={path}")]
    done = checkout.taskspec("reconcile", "a", *asked)
    assert done.code == 1, done
    told = {form: path.read_text().replace("`", "") for form, path in reports.items()} | {"annotations": done.err}
    for form, text in told.items():
        assert "is not selected: its result file is not written: " in text, (form, text)
        assert "So it is with the result files of 2 more" in text, (form, text)
    assert "::error::It ended in an error. taskspec ended with exit code 1." in done.err
    assert told["markdown"].startswith("### ❌ Error")
    assert 'errors="1"' in told["junit"]
