"""What an embedded engine has left in its data folder, for `doctor`. Ends and removes nothing."""

import os
from collections.abc import Iterator

from taskspec.cli.embedding import engine_folder
from taskspec.documents.model import LOCAL, Project
from taskspec.report.checkups import Checkup, doubtful, fine, wrong


def checked_engine(project: Project) -> Iterator[Checkup]:
    """Yield whether an engine of the project lives, or a dead one has left its endpoint."""
    if project.remote.type != LOCAL:
        return
    from taskspec.engine import holding

    folder = engine_folder(project)
    endpoint = holding.published(folder)
    if endpoint is not None and holding.greeting(endpoint) is not None:
        yield fine("engine", f"one serves in process {endpoint.pid}")
    elif endpoint is not None:
        text = f"process {endpoint.pid} holds {folder}, and does not answer"
        yield wrong("engine", text, f"It may be suspended: let it go on (`kill -CONT {endpoint.pid}`), or end it.")
    elif os.path.exists(folder / "endpoint.json"):  # noqa: PTH110  # it may not be ours to look at
        text = "an engine that has ended by force has left its endpoint"
        yield doubtful("engine", text, "The next command that starts an engine ends what it has left, and removes it.")
    else:
        yield fine("engine", "none is running; a command that needs one starts it")
