"""Who hears what a command does: its views. One that nobody can read any more is left out, and the work goes on."""

from taskspec.cli.failing import tell_unwritten
from taskspec.cli.printing import silence_stdout
from taskspec.events import Event
from taskspec.report.exiting import ExitCode, foremost
from taskspec.report.view import View


class Audience:
    """The listener that a story gets: it tells each event to every view, and raises nothing of theirs."""

    def __init__(self, *views: View) -> None:
        self._views = [*views]
        self._failures: list[OSError] = []

    def add(self, view: View) -> None:
        """Let another view hear what comes from now on."""
        self._views.append(view)

    def hear(self, event: Event) -> None:
        """Tell an event; what is done must be recorded, whether or not somebody can read of it."""
        for view in tuple(self._views):
            try:
                view.on(event)
            except OSError as error:
                self._views.remove(view)
                self._failures.append(error)
                silence_stdout()

    def close(self) -> ExitCode:
        """Close the views, the last one first; an output that is not complete is an error, but for a closed pipe."""
        for view in reversed(self._views):
            view.close()
        cut = [error for error in self._failures if not isinstance(error, BrokenPipeError)]
        return foremost(map(tell_unwritten, cut))
