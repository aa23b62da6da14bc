"""What a folder's state holds, read as a planner reads it."""

from contextlib import contextmanager

from taskspec.state.sqlite import SqliteState


@contextmanager
def reading(folder, project="sales"):
    """Open the state of a project's folder for reading only."""
    store = SqliteState(folder / ".taskspec", project, "default", read_only=True)
    try:
        yield store
    finally:
        store.close()


def records_in(folder, project="sales"):
    """Return the records of a project's folder."""
    with reading(folder, project) as store:
        return store.read().records
