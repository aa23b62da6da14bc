"""A person at a terminal: colours, the question before anything is done, the live view, and hostile output."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest
from patience import PATIENCE

STEERING = re.compile(
    rb"\x1b\[[0-9;]*m"  # colours
    rb"|\x1b\[\?25[lh]"  # the cursor, hidden and shown
    rb"|\x1b\[\?2026[hl]"  # each drawing of it is shown at once
    rb"|\x1b\[[0-9]*[AK]|\x1b\[2K"  # the live region, drawn again
)
"""Everything that the program itself sends to a terminal."""


class Terminal:
    """A command on a pseudo-terminal."""

    def __init__(self, workspace, *arguments, **environ):
        self.leader, follower = pty.openpty()
        self.seen = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "taskspec", *arguments],
            cwd=workspace.folder,
            env={**workspace.environ, **environ},
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
        )
        os.close(follower)

    def until(self, text):
        """Read until a text was seen."""
        deadline = time.monotonic() + PATIENCE
        while text.encode() not in self.seen:
            assert time.monotonic() < deadline, self.seen
            assert self._read(), self.seen

    def type(self, text):
        os.write(self.leader, text.encode())

    def end(self):
        """Read to the end, and return the exit code."""
        while self._read():
            pass
        os.close(self.leader)
        return self.process.wait(PATIENCE)

    @property
    def text(self):
        """What a person has read: without what steers the terminal."""
        return STEERING.sub(b"", self.seen).decode()

    def _read(self):
        ready, _, _ = select.select([self.leader], [], [], PATIENCE)
        assert ready, self.seen
        piece = b""
        with suppress(OSError):
            piece = os.read(self.leader, 65536)
        self.seen += piece
        return piece


@pytest.fixture
def project(workspace):
    workspace.project()
    workspace.tasks(a={"agent": "echo", "prompt": "hi"})
    return workspace


@pytest.fixture
def hostile(workspace):
    evil = r"\033[2J\033]0;owned\007\033[31mred\r\033[1Aover\302\233 2J\342\200\256backwards"
    workspace.shell("evil", f"printf 'out {evil}\\n'; printf 'err {evil}\\n' >&2; exit 1")
    workspace.shell("charming", f"printf 'out {evil}\\n'")
    workspace.project()
    workspace.tasks(a={"agent": "evil", "prompt": "hi"}, b={"agent": "charming", "prompt": "hi"})
    return workspace


def test_a_person_who_says_yes_sees_it_done(project):
    terminal = Terminal(project, "apply")
    terminal.until("Carry this out?")
    assert project.records() == {}
    terminal.type("y\n")
    assert terminal.end() == 0
    assert "a: accepted" in terminal.text
    assert project.result("a.txt") == "hi"


def test_what_was_typed_before_the_question_is_no_answer_to_it(project):
    terminal = Terminal(project, "apply")
    terminal.type("y\n")
    terminal.until("Carry this out? [y/N]: ")
    terminal.type("n\n")
    assert terminal.end() == 1
    assert project.records() == {}


@pytest.mark.parametrize("answer", ["n\n", "\n", "\x04"], ids=["no", "nothing", "end of input"])
def test_a_person_who_does_not_say_yes_sees_nothing_done(project, answer):
    terminal = Terminal(project, "apply")
    terminal.until("Carry this out?")
    terminal.type(answer)
    assert terminal.end() in {1, 130}
    assert project.records() == {}
    assert not (project.folder / "results").exists()


def test_a_lock_that_is_lost_while_a_person_thinks_is_told_before_anything_is_done(project):
    thinking = Terminal(project, "apply")
    thinking.until("Carry this out?")
    other = project.apply()
    assert other.code == 8, other
    assert f"process {thinking.process.pid}, `taskspec apply`" in other.err
    refused = project.taskspec("force-unlock", "1", "--yes")
    assert (refused.code, "Whoever is at work keeps the lock." in refused.err) == (8, True)
    thinking.process.send_signal(signal.SIGSTOP)
    for answer, code in [("n\n", 1), ("y\n", 0)]:
        asking = Terminal(project, "force-unlock", "1")
        asking.until("Take the lock from it?")
        assert f"process {thinking.process.pid}" in asking.text
        assert "suspended" in asking.text
        asking.type(answer)
        assert asking.end() == code
    thinking.process.send_signal(signal.SIGCONT)
    thinking.type("y\n")
    assert thinking.end() == 8
    assert "took it over" in thinking.text
    assert project.records() == {}
    assert project.apply().code == 0


def test_ctrl_c_at_the_question_ends_the_command(project):
    terminal = Terminal(project, "apply")
    terminal.until("Carry this out?")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 130
    assert b"Traceback" not in terminal.seen
    assert project.records() == {}


def test_a_termination_at_the_question_is_143(project):
    terminal = Terminal(project, "apply")
    terminal.until("Carry this out?")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.end() == 143
    assert b"Traceback" not in terminal.seen


def test_a_watch_shows_the_first_plan_and_asks_once(project):
    terminal = Terminal(project, "watch")
    terminal.until("from now on?")
    assert b"starts 1 run" in terminal.seen
    assert project.records() == {}
    terminal.type("y\n")
    terminal.until("round 1")
    project.tasks(a={"agent": "echo", "prompt": "ho"})
    terminal.until("round 2")
    assert project.result("a.txt") == "ho"
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 0
    assert terminal.text.count("from now on?") == 1


@pytest.mark.parametrize(("answer", "code"), [("n\n", 1), ("\x04", 130)])
def test_a_watch_that_is_not_approved_does_nothing(project, answer, code):
    terminal = Terminal(project, "watch")
    terminal.until("from now on?")
    terminal.type(answer)
    assert terminal.end() == code
    assert project.records() == {}


@pytest.mark.parametrize(("answer", "agent"), [("llm\n", "llm"), ("\n", "clerk")])
def test_a_person_who_begins_a_project_is_asked_who_does_the_first_task(workspace, answer, agent):
    program = workspace.write("bin/llm", "#!/bin/sh\nexec cat\n")
    program.chmod(0o755)
    terminal = Terminal(workspace, "init", "new", PATH=f"{program.parent}:/usr/bin:/bin")
    terminal.until("Who does the first task?")
    assert not (workspace.folder / "new").exists()
    terminal.type(answer)
    assert terminal.end() == 0
    assert f"agent: {agent}\n" in (workspace.folder / "new/tasks/to-do.yaml").read_text()


def test_a_terminal_gets_colours_and_the_live_view_is_taken_away(project):
    terminal = Terminal(project, "apply", "--yes")
    assert terminal.end() == 0
    assert b"\x1b[32m" in terminal.seen
    assert b"\x1b[?25l" in terminal.seen
    assert terminal.seen.rindex(b"\x1b[?25h") > terminal.seen.rindex(b"\x1b[?25l")
    assert "Apply finished in " in terminal.text
    assert terminal.seen.rindex(b"\x1b[2K") > terminal.seen.rindex(b"1 of 1 finished")


def test_ctrl_c_in_the_live_view_gives_the_cursor_back(workspace):
    workspace.project()
    workspace.tasks(a={"agent": "slow", "prompt": "hi"})
    terminal = Terminal(workspace, "apply", "--yes")
    workspace.until(lambda: workspace.lines("started"))
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 130
    assert terminal.seen.rindex(b"\x1b[?25h") > terminal.seen.rindex(b"\x1b[?25l")
    assert "Interrupted: recording what was running." in terminal.text


def test_what_agents_say_is_shown_while_they_work_and_cannot_leave_its_line(workspace):
    said = r"printf 'one\033[2J\rtwo\n::error::three\n'; echo thinking >&2; read x < go; echo four"
    workspace.shell("talker", said)
    workspace.shell("mute", "cat; echo nothing of it is heard")
    workspace.project()
    os.mkfifo(workspace.folder / "go")
    workspace.tasks(a={"agent": "talker", "prompt": "hi"}, b={"agent": "mute", "prompt": "hi"})
    terminal = Terminal(workspace, "apply", "--yes", "--attach", "a")
    terminal.until("error::three")
    terminal.until("stderr: thinking")
    (workspace.folder / "go").write_text("on\n")
    assert terminal.end() == 0
    _assert_harmless(terminal)
    heard = {r"a | one\x1b[2J\x0dtwo", r"a | \x3a:error::three", "a | stderr: thinking", "a | four"}
    assert heard <= {line.strip() for line in terminal.text.splitlines()}
    assert "nothing of it is heard" not in terminal.text


NAME = "press-release-for-investors-and-analysts"
LISTS = {
    "status": "ADDRESS",
    "results": "ADDRESS",
    f"results {NAME} --history": "GENERATION",
    "state list": "ADDRESS",
    f"history {NAME}": "20",
}


def test_no_row_is_torn_where_a_terminal_is_narrow_and_a_pipe_gets_all(workspace):
    workspace.project()
    workspace.tasks(**{NAME: {"agent": "echo", "prompt": "hi"}, "b": {"agent": "echo", "prompt": "ho"}})
    assert workspace.apply().code == 0
    for command, begins in LISTS.items():
        wide = workspace.taskspec(*command.split(), COLUMNS="50").out
        assert max(map(len, wide.splitlines())) > 70, command
        terminal = Terminal(workspace, *command.split(), COLUMNS="50")
        assert terminal.end() == 0
        assert terminal.text.startswith(begins), command
        assert max(map(len, terminal.text.splitlines())) <= 50, command


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_who_wants_no_colours_gets_none(project, environ):
    terminal = Terminal(project, "apply", "--yes", **environ)
    assert terminal.end() == 0
    assert b"\x1b" not in terminal.seen


def test_a_pipe_gets_no_colours_unless_they_are_asked_for(project):
    assert "\x1b" not in project.apply().out
    told = project.taskspec("plan", FORCE_COLOR="1").out
    assert "\x1b[1m" in told
    assert "\x1b[?25l" not in told


def test_who_wants_few_words_gets_the_last_line_alone(project):
    done = project.apply("--quiet")
    (line,) = done.out.splitlines()
    assert line.startswith("Apply finished in ")
    assert (done.code, done.err) == (0, "")
    (line,) = project.taskspec("plan", "-q").out.splitlines()
    assert line.endswith(": 1 up to date.")


def test_a_selector_that_fits_nothing_is_told_before_anything_runs(project):
    done = project.apply("--attach", "nobody")
    assert done.code == 64
    assert "`nobody`" in done.err
    assert project.records() == {}


TELLING = [
    ["status"],
    ["logs", "a"],
    ["logs", "b"],
    ["logs", "a", "-f"],
    ["logs", "b", "-f"],
    ["results", "b"],
    ["plan"],
]


def test_what_an_agent_writes_cannot_steer_the_terminal(hostile):
    applying = Terminal(hostile, "apply", "--yes")
    assert applying.end() == 3
    _assert_harmless(applying)
    assert "err " in applying.text
    for command in TELLING:
        telling = Terminal(hostile, *command)
        telling.end()
        _assert_harmless(telling)


def test_what_a_manifest_says_cannot_steer_the_terminal(workspace):
    workspace.project()
    workspace.write(
        "tasks.yaml",
        "apiVersion: taskspec/v1\nkind: Task\nmetadata: {name: a}\n"
        'spec: {agent: echo, prompt: "\\e[2Jgone\\u202e", title: "\\e]0;owned\\a"}\n',
    )
    terminal = Terminal(workspace, "plan")
    assert terminal.end() == 0
    _assert_harmless(terminal)
    assert "gone\\u202e" in terminal.text


def _assert_harmless(terminal):
    rest = STEERING.sub(b"", terminal.seen).decode()
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", rest), rest
    assert "\rover" not in rest
    assert "\x1b[31mred" not in terminal.seen.decode()
