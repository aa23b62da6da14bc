"""Uploading: brings the local files of a task to the remote, each content once. Starts no run."""

import asyncio
import hashlib
from collections import defaultdict
from pathlib import Path

from taskspec.desired.model import DesiredTask, LocalFile
from taskspec.errors import UnreachableError
from taskspec.taskapi import endpoints
from taskspec.taskapi.drivers.asynchronous import Connection


class Uploads:
    """What one apply has brought to its remote, by digest; a content that many tasks name is read and sent once."""

    def __init__(self) -> None:
        self._there: set[str] = set()
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def bring(self, connection: Connection, folder: Path, task: DesiredTask) -> None:
        """Bring the local files of a task to the remote; raise UnreachableError where one is not as it was planned."""
        for file in task.files:
            if not isinstance(file, LocalFile):
                continue
            async with self._locks[file.sha256]:
                if file.sha256 not in self._there:
                    content = await asyncio.to_thread(_content, folder, file)
                    await connection.run(endpoints.upload_file(file.sha256, content))
                    self._there.add(file.sha256)


def _content(folder: Path, file: LocalFile) -> bytes:
    """Return what a file holds, if it is still what was planned: the one place that knows where contents come from."""
    if file.content is not None:
        return file.content
    try:
        content = (folder / file.path).read_bytes()
    except OSError as error:
        raise UnreachableError(f"{file.path} cannot be read any more: {error.strerror}; plan again") from error
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise UnreachableError(f"{file.path} has changed since it was planned; plan again")
    return content
