"""The projects that the benchmarks measure, as `generate.py` writes them."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from patience import PATIENCE

from taskspec.documents.loading import load

GENERATE = Path(__file__).parents[2] / "benchmarks" / "generate.py"


def generate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-B", str(GENERATE), str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


def contents(folder: Path) -> dict[str, str]:
    return {str(f.relative_to(folder)): f.read_text(encoding="utf-8") for f in folder.rglob("*") if f.is_file()}


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("generated") / "project"
    assert generate(folder, "--tasks", "72").returncode == 0
    return folder


@pytest.fixture(scope="module")
def prompts(project) -> list[str]:
    documents = (doc for f in sorted(project.glob("tasks/*.yaml")) for doc in yaml.safe_load_all(f.read_text("utf-8")))
    return [document["spec"]["prompt"] for document in documents]


def test_a_seed_gives_the_same_project_each_time(project, tmp_path):
    generate(tmp_path / "again", "--tasks", "72")
    assert contents(tmp_path / "again") == contents(project)


def test_another_seed_gives_other_prompts(project, tmp_path):
    generate(tmp_path / "other", "--tasks", "72", "--seed", "2")
    assert contents(tmp_path / "other") != contents(project)


def test_every_prompt_is_distinct_and_has_several_lines(prompts):
    assert len(set(prompts)) == len(prompts) == 72
    assert all(len(prompt.splitlines()) > 4 for prompt in prompts)


def test_a_third_is_plain_half_has_dotted_names_and_the_rest_has_logic(prompts):
    logic = [prompt for prompt in prompts if "{%" in prompt or " | " in prompt]
    dotted = [prompt for prompt in prompts if "{{ vars." in prompt and prompt not in logic]
    assert (len(prompts) - len(dotted) - len(logic), len(dotted), len(logic)) == (24, 36, 12)
    for sign in ("{% for", "{% if", "| upper"):
        assert sum(sign in prompt for prompt in logic) == 4


def test_the_last_file_holds_what_is_left(project):
    assert len(list(project.glob("tasks/*.yaml"))) == 8


def test_a_file_for_each_task_can_be_asked_for(tmp_path):
    generate(tmp_path / "single", "--tasks", "7", "--tasks-per-file", "1")
    assert len(list((tmp_path / "single" / "tasks").iterdir())) == 7


def test_zones_hold_as_many_records_on_both_sides(tmp_path):
    generate(tmp_path, "--octodns", "--tasks", "1500")
    sides = {side: contents(tmp_path / side) for side in ("zones", "live")}
    assert sides["zones"] == sides["live"]
    zones = [yaml.load(text, yaml.CSafeLoader) for text in sides["zones"].values()]
    assert sorted(map(len, zones)) == [500, 1000]
    assert len({record["value"] for zone in zones for record in zone.values()}) == 1500


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    done = generate(tmp_path, "--tasks", "1")
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert contents(tmp_path) == {"mine.txt": "mine"}


def test_a_manifest_of_the_comparison_with_checkers_has_25_lines_and_is_valid(tmp_path):
    code = (
        "import sys, pathlib, projects; projects.write_manifests(pathlib.Path(sys.argv[1]), projects.Scale(tasks=36))"
    )
    command = [sys.executable, "-B", "-c", code, str(tmp_path)]
    subprocess.run(command, cwd=GENERATE.parent, check=True, timeout=PATIENCE)
    files = sorted(tmp_path.glob("tasks/*/*.yaml"))
    assert [len(file.read_text("utf-8").splitlines()) for file in files] == [25] * 36
    loaded = load(tmp_path)
    assert (len(loaded.manifests.tasks), loaded.diagnostics) == (36, ())
