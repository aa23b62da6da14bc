"""No path of a project leads out of it, and nothing in it speaks to whoever reads the output."""

import json

import pytest
from hostile_projects import AGENTS, HEAD

from taskspec.report.text import visible

CANARY = "canary-of-outside"


@pytest.fixture
def outside(hostile):
    folder = hostile.folder.parent / "outside"
    folder.mkdir()
    (folder / "t.yaml").write_text(
        f"{HEAD}kind: Task\nmetadata: {{name: {CANARY}}}\nspec: {{agent: a, nope: {CANARY}}}\n"
    )
    (folder / "text.md").write_text(CANARY)
    (folder / "rows.json").write_text(json.dumps([CANARY]))
    return folder


@pytest.mark.parametrize(
    "pattern",
    [
        "link/*.yaml",
        "link/t.yaml",
        "link/**",
        "*/t.yaml",
        "**/*.yaml",
        "t.yaml",
        "../outside/*.yaml",
        "/etc/*.yaml",
        "~/*",
    ],
)
def test_no_pattern_reads_manifests_outside(hostile, outside, pattern):
    (hostile.folder / "link").symlink_to(outside)
    (hostile.folder / "t.yaml").symlink_to(outside / "t.yaml")
    hostile.project(f"manifests: [{json.dumps(pattern)}]")
    for command in (["validate"], ["fmt", "--diff"], ["render"]):
        assert CANARY not in hostile.run(*command).said


def test_a_project_file_that_is_a_link_out_of_the_project_is_refused(hostile, outside):
    (outside / "p.yaml").write_text(f"{HEAD}kind: Project\nspec: {{remote: {CANARY}}}\n")
    (hostile.folder / "taskspec.yaml").symlink_to(outside / "p.yaml")
    hostile.task()
    for command in (["validate"], ["fmt", "--diff"], ["status"]):
        done = hostile.run(*command)
        assert done.code != 0
        assert CANARY not in done.said


WAYS = ["link/text.md", "text.md", "../outside/text.md", "a/../../outside/text.md", "/etc/passwd", "/proc/self/environ"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("use", ["file", "include", "import", "files", "forEach"])
def test_no_path_of_a_task_leads_outside(hostile, outside, use, way):
    hostile.project()
    (hostile.folder / "link").symlink_to(outside)
    (hostile.folder / "text.md").symlink_to(outside / "text.md")
    (hostile.folder / "macros").symlink_to(outside)
    spec = {
        "file": {"prompt": f"{{{{ file('{way}') }}}}"},
        "include": {"prompt": f"{{% include '{way}' %}}"},
        "import": {"prompt": f"{{% import '{way}' as m %}}{{{{ m }}}}"},
        "files": {"files": [way]},
        "forEach": {"forEach": {"file": way.replace("text.md", "rows.json")}},
    }[use]
    hostile.task(**spec)
    done = hostile.refused("render")
    assert CANARY not in done.said
    assert "root:" not in done.said


@pytest.mark.parametrize("path", ["../outside", "/tmp", "link", ".git"])
def test_no_results_are_written_outside(hostile, outside, path):
    before = sorted(outside.iterdir())
    (hostile.folder / "link").symlink_to(outside)
    hostile.project(f"results: {{path: {json.dumps(path)}}}")
    hostile.task()
    assert hostile.run("apply", "--yes").code != 0
    assert sorted(outside.iterdir()) == before


COMMANDS = [
    "::error::x",
    "::error file=a,line=1::x",
    "  ::set-output name=a::b",
    "\t::add-mask::a",
    "::stop-commands::x",
    "a\n::warning::b",
    "##[error]x",
    "a ##[add-mask]b",
    "##vso[task.setvariable variable=a]b",
    "##teamcity[buildStop comment='x']",
]


def is_a_command(line):
    text = line.strip()
    return (text.startswith("::") and "::" in text[2:]) or any(f"##{who}[" in text for who in ("", "vso", "teamcity"))


@pytest.mark.parametrize("payload", COMMANDS)
def test_no_text_of_a_project_commands_the_runner_of_a_ci(hostile, payload):
    hostile.project()
    hostile.task(prompt=payload + "\nb", title=payload, additionalContext=payload + "{{ nope }}")
    hostile.task(name="u", file="u.yaml", prompt=payload + "\nb", title=payload, labels=None)
    hostile.write("::error::.yaml", f"{HEAD}kind: Task\n'{payload.strip()}': 1\n")
    for command in ("validate", "render", "plan", "graph"):
        said = hostile.run(command).said
        assert not [line for line in said.splitlines() if is_a_command(line)]
    (hostile.folder / "::error::.yaml").unlink()
    hostile.task(prompt=payload + "\nb", title=payload)
    (hostile.folder / "u.yaml").unlink()
    for command in ("render", "plan"):
        done = hostile.run(command)
        assert done.code in {0, 2}
        assert not [line for line in done.said.splitlines() if is_a_command(line)]


@pytest.mark.parametrize("harmless", ["a::b", "std::vector", ":: note", "## Title", "a: b", "::"])
def test_what_commands_nobody_is_shown_as_it_is(harmless):
    assert visible(harmless) == harmless


ACTIVE = ["\x1b]0;x\x07", "\x1b[2J", "\x9b31m", "\r", "\u202e", "\u2066", "\u200b", "\x7f", "\x00", "\U000e0041"]


@pytest.mark.parametrize("character", ACTIVE)
def test_no_control_character_reaches_the_output(hostile, character):
    hostile.project()
    escaped = json.dumps(f"a{character}b\nc")
    body = f"{HEAD}kind: Task\nmetadata: {{name: t, labels: {{l: {escaped}}}}}\nspec:\n  agent: a\n"
    hostile.write(
        "t.yaml", f"{body}  title: {escaped}\n  prompt: {escaped}\n  matrix: {{m: [{escaped}]}}\n  {escaped}: 1\n"
    )
    hostile.write("u.yaml", f"{body.replace('name: t', 'name: u')}  prompt: {escaped}\n  matrix: {{m: [{escaped}]}}\n")
    for command in (["validate"], ["render"], ["graph"], ["graph", "--format", "dot"], ["plan"], ["explain", "u"]):
        assert character not in hostile.run(*command).said.replace("\r\n", "\n")
    (hostile.folder / "t.yaml").unlink()
    for command in (["render"], ["graph"], ["graph", "--format", "dot"], ["plan"]):
        assert character not in hostile.run(*command).said


@pytest.mark.parametrize(
    "value", ['"]; click t0 "javascript:x"', "</script><img src=x>", "a\n%%{init}%%", "`x`", '\\"];x[label="']
)
def test_no_value_of_a_cell_draws_anything_by_itself(hostile, value):
    hostile.project()
    hostile.task(matrix={"m": [value]})
    done = hostile.run("graph")
    lines = done.out.splitlines()
    assert lines[0] == "flowchart LR"
    assert all(line.startswith('  t0["') and line.endswith('"]') and line.count('"') == 2 for line in lines[1:]), done
    assert "<" not in done.out
    dotted = hostile.run("graph", "--format", "dot").out.splitlines()
    assert len(dotted) == 5


def committed_cache(hostile, folder):
    """Make a cache as the program makes it, in a folder of the project."""
    hostile.project()
    hostile.task(prompt="{{ 1 + 1 }}{% set a = 1 %}")
    return hostile.run("validate", XDG_CACHE_HOME=str(folder))


@pytest.mark.parametrize("where", ["cache", "a/cache"])
def test_nothing_is_kept_where_a_project_could_put_code(hostile, where):
    folder = hostile.folder / where
    assert committed_cache(hostile, folder).code == 0
    assert not list(folder.rglob("*.db"))


def test_nothing_is_kept_in_the_working_folder_of_a_version_control_system(hostile):
    (hostile.folder.parent / ".git").mkdir()
    folder = hostile.folder.parent / "cache"
    assert committed_cache(hostile, folder).code == 0
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_the_cache_is_kept_elsewhere(hostile):
    assert committed_cache(hostile, hostile.cache).code == 0
    assert list(hostile.cache.rglob("*.db"))


def test_the_agents_of_a_project_are_not_started_by_looking(hostile):
    hostile.write("taskspec.yaml", f"{HEAD}kind: Project\nspec:\n  {AGENTS.replace('cat', 'touch, started')}\n")
    hostile.task()
    for command in ("validate", "render", "plan", "graph", "explain"):
        hostile.run(command)
    assert not (hostile.folder / "started").exists()
