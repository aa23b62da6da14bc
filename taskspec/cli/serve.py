"""`taskspec serve`."""

import re
import signal
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click

from taskspec.cli import options
from taskspec.cli.printing import note, say, say_json
from taskspec.documents.places import LOOPBACK
from taskspec.errors import EngineError, MissingSecretError, UsageError

_KEY = re.compile(r"[\x21-\x7e]+")


@click.command()
@options.target
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on (default: a free one).")
@click.option("--api-key-env", metavar="NAME", help="Environment variable that holds the key (default: a random key).")
@click.option(
    "--parallelism", type=click.IntRange(1, 1000), default=16, show_default=True, help="How many agents at once."
)
@options.as_json
def serve(
    words: Sequence[str],
    project: Path | None,
    host: str,
    port: int,
    api_key_env: str | None,
    parallelism: int,
    as_json: bool,
) -> int:
    """Keep the embedded engine running until stopped.

    Other commands on this project join it, and runs go on when they end. Ctrl-C ends the engine and its active runs.
    """
    from taskspec.cli.embedding import engine_config
    from taskspec.engine.hosting import Mode, open_engine
    from taskspec.runner.locating import project_of

    invocation = options.invocation_of_all(words, project)
    key = _key(host, api_key_env, invocation.settings.environ)
    config = replace(
        engine_config(project_of(invocation), invocation.settings, parallelism), host=host, port=port, api_key=key
    )
    ended = threading.Event()
    with open_engine(config, Mode.DISPATCH) as engine:
        if not engine.owned:
            raise EngineError(
                f"an engine of this project is running already (process {engine.pid})", hint="Use that one, or end it."
            )
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda *_: ended.set())
        if as_json:
            say_json({"url": engine.url, "pid": engine.pid, "instance": engine.instance})
        else:
            say([f"The engine listens on {engine.url} (Ctrl-C ends it)."])
        engine.wait(ended)
        active = engine.active()
        if active:
            note(f"Ending {active} active or waiting run(s): they are recorded, and those not started stay pending.")
    return 0


def _key(host: str, name: str | None, environ: Mapping[str, str]) -> str | None:
    if not host.strip():
        raise UsageError("--host is empty.", hint="Name an address of this machine, or leave it out for 127.0.0.1.")
    if name is None:
        if host not in LOOPBACK:
            raise UsageError(
                f"--host {host} makes the engine reachable from elsewhere, so it needs a key of yours.",
                hint="Put one into an environment variable and name it with --api-key-env.",
            )
        return None
    key = environ.get(name)
    if not key:
        raise MissingSecretError(f"the environment variable {name} is not set", hint="Set it to the key to be used.")
    if _KEY.fullmatch(key) is None:
        raise UsageError(
            f"the key in the environment variable {name} cannot be sent in a header.",
            hint="A key has visible ASCII characters only: no spaces, line ends or other letters.",
        )
    return key
