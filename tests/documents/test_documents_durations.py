"""A duration that a manifest or a command line cannot hold is refused, and no hint about one leads in a circle."""

import pytest
from click.testing import CliRunner

from taskspec.cli.commands import taskspec
from taskspec.documents.durations import seconds, written

PROJECT = """\
apiVersion: taskspec/v1
kind: Project
metadata: {{name: hello}}
spec:
  agents:
    shouter: {{command: [tr, a-z, A-Z]}}
---
apiVersion: taskspec/v1
kind: Task
metadata: {{name: greeting}}
spec:
  agent: shouter
  prompt: Hello.
  rerun: {{when: onChange, after: {after}}}
"""


@pytest.mark.parametrize("digits", ["9" * 10, "9" * 400, "9" * 5000])
def test_a_number_that_no_manifest_takes_is_no_duration_anywhere(digits):
    with pytest.raises(ValueError, match="not a duration"):
        seconds(f"{digits}d")


@pytest.mark.parametrize("option", ["--lock-timeout", "--wait-timeout"])
def test_a_command_line_refuses_it_in_words(option):
    told = CliRunner().invoke(taskspec, ["apply", option, "9" * 400 + "d"])
    assert told.exit_code == 2
    assert "is no duration" in told.output


@pytest.mark.parametrize(
    ("after", "way"),
    [
        ("0", "Write it with its unit. For example, `30s`."),
        ("1.5", "Write it with its unit. For example, `30s`."),
        ("45", "Write it with its unit. For example, `45s`."),
        ("10000000000000000d", "Write a smaller number."),
        ("5 min", "Write `5m`."),
    ],
)
def test_what_a_hint_proposes_is_right(tmp_path, monkeypatch, capfd, after, way):
    from taskspec.cli.running import run

    monkeypatch.chdir(tmp_path)
    (tmp_path / "taskspec.yaml").write_text(PROJECT.format(after=after))
    assert run(["validate"]) == 1
    assert f"→ {way}" in "".join(capfd.readouterr())


@pytest.mark.parametrize("text", ["500ms", "90s", "20m", "25h", "7d", "0s"])
def test_a_duration_is_written_as_an_author_would(text):
    assert written(seconds(text)) == text


def test_a_duration_is_written_in_its_largest_unit():
    assert [written(seconds(text)) for text in ("60s", "1440m", "1500ms", "0d")] == ["1m", "1d", "1500ms", "0s"]
