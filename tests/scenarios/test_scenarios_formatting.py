"""`taskspec fmt` on real folders: what is written, what is left alone, and what the exit code says."""

import os
import stat
import subprocess

import pytest
from patience import PATIENCE

NEAT = """\
apiVersion: taskspec/v1
kind: Task
metadata: {name: NAME}
spec:
  agent: echo   # who
  files:
    # the figures
    - a.csv
  prompt: |
    Sum them up:

      - by month
"""
ROUGH = NEAT.replace("  files:\n    # the figures\n    - a.csv", "  files:\n  # the figures\n  -   a.csv").replace(
    "{name: NAME}", "{ name:   NAME }"
)
BROKEN = "apiVersion: taskspec/v1\nkind: Task\nmetadata: {name: [\n"
FOREIGN = "services:\n    web: {image:   x}\n"


@pytest.fixture
def project(workspace):
    workspace.write("taskspec.yaml", "apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: p}\n")
    workspace.write("tasks/neat.yaml", NEAT.replace("NAME", "neat"))
    workspace.write("tasks/rough.yaml", ROUGH.replace("NAME", "rough"))
    workspace.write("compose.yaml", FOREIGN)
    return workspace


def text(project, name):
    return (project.folder / name).read_bytes().decode()


def files(project):
    return {str(path.relative_to(project.folder)) for path in project.folder.rglob("*") if path.is_file()}


def test_the_project_is_formatted_in_place_and_a_second_time_changes_nothing(project):
    before = files(project)
    done = project.taskspec("fmt")
    assert (done.code, done.out) == (0, "tasks/rough.yaml\n")
    assert done.err == "1 file formatted, 2 in the usual form, 1 YAML file left out: not taskspec's.\n"
    assert text(project, "tasks/rough.yaml") == NEAT.replace("NAME", "rough")
    assert text(project, "compose.yaml") == FOREIGN
    assert files(project) == before
    again = project.taskspec("fmt")
    assert (again.code, again.out) == (0, "")


def test_check_names_the_files_and_writes_nothing(project):
    done = project.taskspec("fmt", "--check")
    assert (done.code, done.out) == (1, "tasks/rough.yaml\n")
    assert text(project, "tasks/rough.yaml") == ROUGH.replace("NAME", "rough")
    project.taskspec("fmt")
    assert project.taskspec("fmt", "--check").code == 0


def test_the_diff_can_be_applied_by_patch(project):
    project.write("tasks/windows.yaml", ROUGH.replace("NAME", "windows").replace("\n", "\r\n").rstrip() + "\r\n# end")
    shown = project.start("fmt", "--diff", text=False).process.communicate(timeout=PATIENCE)[0]
    assert text(project, "tasks/rough.yaml") == ROUGH.replace("NAME", "rough")
    assert b"\n-metadata: { name:   rough }\n+metadata: {name: rough}\n" in shown
    assert b"\n\\ No newline at end of file\n" in shown
    subprocess.run(["git", "apply", "-p0"], cwd=project.folder, input=shown, check=True)
    assert text(project, "tasks/windows.yaml") == NEAT.replace("NAME", "windows") + "# end\n"
    assert project.taskspec("fmt", "--check").code == 0


def test_check_and_diff_together_show_and_judge(project):
    done = project.taskspec("fmt", "--check", "--diff")
    assert done.code == 1
    assert "+metadata: {name: rough}\n" in done.out
    assert project.taskspec("fmt", "--diff").code == 0


def test_standard_input_is_written_to_standard_output(project):
    def piped(content, *options):
        running = project.start("fmt", "-", *options, stdin=subprocess.PIPE, text=False)
        out, err = running.process.communicate(content, timeout=PATIENCE)
        return running.process.returncode, out, err

    assert piped(ROUGH.encode()) == (0, NEAT.encode(), b"")
    assert piped(NEAT.encode(), "--check") == (0, b"", b"")
    assert piped(ROUGH.encode(), "--check") == (1, b"<stdin>\n", b"")
    assert piped(ROUGH.encode(), "--diff")[1].startswith(b"--- <stdin>\n+++ <stdin>\n@@ ")
    assert piped(FOREIGN.encode()) == (0, FOREIGN.encode(), b"")
    code, out, err = piped(BROKEN.encode())
    assert (code, out) == (1, b"")
    assert err.startswith(b"<stdin>:")


def test_a_file_that_cannot_be_read_is_left_alone_and_the_others_are_formatted(project):
    project.write("tasks/broken.yaml", BROKEN)
    done = project.taskspec("fmt")
    assert (done.code, done.out) == (1, "tasks/rough.yaml\n")
    assert "tasks/broken.yaml:4:1: error: " in done.err
    assert text(project, "tasks/broken.yaml") == BROKEN
    told = project.taskspec("validate").err
    assert told.splitlines()[0] in done.err


def test_files_and_folders_can_be_named(project):
    project.write("more/one.yaml", ROUGH.replace("NAME", "one"))
    project.write("more/two.yml", ROUGH.replace("NAME", "two"))
    done = project.taskspec("fmt", "tasks/rough.yaml", "more", "more/one.yaml", "compose.yaml")
    assert (done.code, done.out) == (0, "tasks/rough.yaml\nmore/one.yaml\nmore/two.yml\n")
    assert "1 YAML file left out" in done.err
    assert text(project, "compose.yaml") == FOREIGN


def test_the_project_file_alone_is_one_file(project):
    done = project.taskspec("fmt", "taskspec.yaml", "--check")
    assert (done.code, done.out) == (0, "")


def test_only_what_manifests_names_is_looked_at(project):
    project.write(
        "taskspec.yaml",
        "apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: p}\nspec:\n  manifests: [tasks/neat.yaml]\n",
    )
    assert project.taskspec("fmt", "--check").code == 0


def test_a_path_that_is_missing_stops_before_anything_is_written(project):
    done = project.taskspec("fmt", "tasks", "taks")
    assert done.code == 64
    assert "`taks`" in done.err
    assert "Did you mean `tasks`?" in done.err
    assert text(project, "tasks/rough.yaml") == ROUGH.replace("NAME", "rough")


def test_a_folder_without_manifests_is_not_green(workspace):
    workspace.write("compose.yaml", FOREIGN)
    done = workspace.taskspec("fmt", "--check")
    assert done.code == 1
    assert "No manifest" in done.err


def test_modes_are_kept(project):
    path = project.folder / "tasks/rough.yaml"
    path.chmod(0o754)
    project.taskspec("fmt")
    assert stat.S_IMODE(path.stat().st_mode) == 0o754


def test_a_read_only_file_is_told_and_kept(project):
    path = project.folder / "tasks/rough.yaml"
    path.chmod(0o444)
    project.write("tasks/zebra.yaml", ROUGH.replace("NAME", "zebra"))
    done = project.taskspec("fmt")
    assert (done.code, done.out) == (1, "tasks/zebra.yaml\n")
    assert "`tasks/rough.yaml` cannot be written: it is read-only." in done.err
    assert text(project, "tasks/rough.yaml") == ROUGH.replace("NAME", "rough")
    assert project.taskspec("fmt", "--check").out == "tasks/rough.yaml\n"


def test_links_are_followed_within_the_project_alone(project, tmp_path):
    outside = tmp_path / "outside.yaml"
    outside.write_text(ROUGH.replace("NAME", "outside"))
    (project.folder / "tasks/out.yaml").symlink_to(outside)
    (project.folder / "tasks/in.yaml").symlink_to("../kept/real.txt")
    project.write("kept/real.txt", ROUGH.replace("NAME", "real"))
    assert project.taskspec("fmt").out.splitlines() == ["tasks/rough.yaml", "kept/real.txt"]
    assert (project.folder / "tasks/in.yaml").is_symlink()
    assert text(project, "kept/real.txt") == NEAT.replace("NAME", "real")
    done = project.taskspec("fmt", "tasks/out.yaml")
    assert done.code == 1
    assert "Link out of the project" in done.err
    assert outside.read_text() == ROUGH.replace("NAME", "outside")


def test_machines_get_one_document(project):
    project.write("tasks/broken.yaml", BROKEN)
    done = project.taskspec("fmt", "--check", "--json")
    assert done.code == 1
    assert done.json["changed"] == ["tasks/rough.yaml"]
    assert (done.json["unchanged"], done.json["skippedFiles"]) == (2, 1)
    assert [found["file"] for found in done.json["diagnostics"]] == ["tasks/broken.yaml"]


@pytest.mark.parametrize("arguments", [("-", "tasks"), ("-", "--json"), ("--diff", "--json")])
def test_what_cannot_go_together_is_a_wrong_command_line(project, arguments):
    done = project.taskspec("fmt", *arguments)
    assert done.code == 64
    assert text(project, "tasks/rough.yaml") == ROUGH.replace("NAME", "rough")


def test_a_thousand_files_take_seconds(project):
    for number in range(1000):
        project.write(f"many/{number:04}.yaml", ROUGH.replace("NAME", f"t{number}"))
    began = os.times()
    done = project.taskspec("fmt")
    ended = os.times()
    assert done.code == 0
    assert len(done.out.splitlines()) == 1001
    assert ended.children_user - began.children_user < 10
    assert text(project, "many/0999.yaml") == NEAT.replace("NAME", "t999")
