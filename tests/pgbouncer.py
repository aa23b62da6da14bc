"""A pgbouncer before a PostgreSQL server, in transaction mode: a transaction may get any session. Tests nothing."""

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from patience import until
from postgres_server import PASSWORD, USER, free_port

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

_SETTINGS = """
[databases]
* = host={host} port={server} user=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 2
max_client_conn = 100
server_login_retry = 1
server_reset_query =
logfile = {folder}/log
{more}
"""


class Pgbouncer:
    """A pooler with two sessions on the server, which all clients share."""

    def __init__(self, database, *, certificate=None):
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="taskspec-pgbouncer-", dir="/tmp"))
        self.certificate = certificate
        more = ""
        if certificate:
            more = f"client_tls_sslmode = require\nclient_tls_key_file = {self.folder}/key\n"
            more += f"client_tls_cert_file = {self.folder}/certificate"
            (self.folder / "key").write_bytes(certificate.key)
            (self.folder / "certificate").write_bytes(certificate.text)
        settings = _SETTINGS.format(
            host=database.folder, server=database.port, port=self.port, folder=self.folder, more=more
        )
        (self.folder / "settings").write_text(settings)
        (self.folder / "users").write_text(f'"postgres" "{PASSWORD}"\n')
        user = USER if os.geteuid() == 0 else None
        if user:
            for path in (self.folder, *self.folder.iterdir()):
                shutil.chown(path, user, user)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen([PROGRAM, str(self.folder / "settings")], user=user, cwd="/", **quiet)
        until(self._listens, (self.folder / "log").read_text)

    def place(self, key, parameters="sslmode=disable", host="127.0.0.1"):
        return f"postgresql://postgres:{PASSWORD}@{host}:{self.port}/postgres?{parameters}&schema=s{key}&name=team"

    def close(self):
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self.folder)

    def _listens(self):
        assert self._process.poll() is None, (self.folder / "log").read_text()
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False
