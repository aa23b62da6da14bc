"""The servers of every kind of store, for the tests: started when first needed, once for a process. Tests nothing."""

import atexit
from dataclasses import replace

from postgres_server import PostgresServer
from s3_server import S3Server
from terraform_server import TerraformServer

from taskspec.documents.places import PlaceKind, place_of
from taskspec.state.model import TTL
from taskspec.state.opening import Wanted, open_store


class LocalServer:
    """No server at all: the state is a file."""

    def place(self, key):
        """Return a place, as a manifest names it, that is empty and that no other key gives."""
        return "local"

    def close(self):
        pass


KINDS = {"sqlite": LocalServer, "postgres": PostgresServer, "s3": S3Server, "http": TerraformServer}
"""By the name of the kind, what starts its server."""


_running = {}


def server(kind):
    """Return the running server of a kind."""
    if kind not in _running:
        _running[kind] = KINDS[kind]()
        atexit.register(_running[kind].close)
    return _running[kind]


def named(place, name):
    """Return a place that keeps the state under a name of its own, where it depends on that."""
    found = place_of(place)
    return place if found.kind is PlaceKind.LOCAL else replace(found, name=name).text


def open_at(place, folder, *, project="sales", environment="default", read_only=False, ttl=TTL):
    """Open the store of a place, as the composition root does; each environment has a URL of its own, if it is one."""
    found = place_of(place)
    if found.kind is PlaceKind.HTTP and environment.isalnum() and environment != "default":
        found = replace(found, url=f"{found.url}-{environment}")
    wanted = Wanted(folder=folder, project=project, environment=environment, read_only=read_only, ttl=ttl)
    return open_store(found, wanted)
