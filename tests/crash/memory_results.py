"""The results folder in memory: the files outlive a kill, which may come between any two of them."""

import hashlib

from taskspec.apply.publishing import ResultsFolder
from taskspec.events import ResultWithdrawn, ResultWritten


class MemoryResults(ResultsFolder):
    """What `ResultsFolder` does, on a mapping address → (run, content) that stands for the files."""

    def __init__(self, files, process):
        self._files = files
        self._process = process

    def check(self):
        self._process.alive()

    def is_there(self, address, accepted):
        run, content = self._files.get(address, (None, ""))
        return run == accepted.run and len(content.encode()) == accepted.result.size

    def publish(self, address, accepted, content):
        self._process.step("publish", address)
        self._files[address] = (accepted.run, content)
        self._process.step("published", address)
        return ResultWritten(address=address, path=address)

    def elsewhere(self, addresses):
        for address, (run, content) in sorted(self._files.items()):
            if address not in addresses:
                yield address, run, hashlib.sha256(content.encode()).hexdigest()

    def withdraw(self, address, ref, why="is no longer accepted"):
        self._process.step("withdraw", address)
        return ResultWithdrawn(address=address, path=address) if self._files.pop(address, None) else None
