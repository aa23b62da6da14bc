"""The engine's own log: a bounded file in its folder. What the engine's thread logs goes there, never to a terminal."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

FILE_NAME = "engine.log"
MAX_BYTES = 1_000_000
"""Of the file, and once more of `engine.log.1`, which holds what came before."""
_LOGGERS = ("taskspec.engine", "uvicorn.error", "asyncio")


@contextmanager
def logged(folder: Path) -> Iterator[None]:
    """Send what this thread logs about the engine to the file; other threads' records go where they went."""
    file = _File(folder / FILE_NAME, maxBytes=MAX_BYTES, backupCount=1, encoding="utf-8", delay=True)
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    thread = threading.get_ident()

    def divert(record: logging.LogRecord) -> bool:
        if threading.get_ident() != thread:
            return True
        file.handle(record)
        return False

    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addFilter(divert)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(divert)
        file.close()


class _File(RotatingFileHandler):
    """A file for its owner's eyes only; one that cannot be written is no reason to disturb anybody."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        return os.fdopen(descriptor, "a", encoding=self.encoding)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name
        """Let the record go."""
