"""A group of commands one of which is meant where none is named. Runs nothing."""

from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

USUAL: Final = "show"


class UsualGroup(click.Group):
    """A group whose command `show` is meant where no command of it is named: `results a` is `results show a`.

    What has the name of a command is reached with the usual one written out: `results show export`.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name of the usual command before words that are none of this group."""
        named = args[0] if args else ""
        if named not in self.commands and named not in ctx.help_option_names:
            args = [USUAL, *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem[str]]":
        """Return the commands that a word can become, and what can follow the usual one."""
        usual = self.commands[USUAL]
        with usual.make_context(USUAL, [], parent=ctx, resilient_parsing=True) as context:
            first = next((one for one in usual.params if isinstance(one, click.Argument)), None)
            words = first.shell_complete(context, incomplete) if first is not None else []
        return [*super().shell_complete(ctx, incomplete), *words]
