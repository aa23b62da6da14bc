"""A result of another task that is not known yet: in a text it gives words, all else is refused. Renders nothing."""

from typing import Any, Final, NoReturn

from taskspec.desired.scope import WrongTemplateError

_HINT: Final = "Until it is known, it can only be put into a text as it is."


class LaterError(WrongTemplateError):
    """The template cannot be rendered before a result is known: not a mistake of its author."""

    def __init__(self, words: str) -> None:
        super().__init__(f"The template computes with a result that is not known yet: {words}.", hint=_HINT)
        self.words = words


class Later:
    """Stands for a value that is not known yet, and for everything in it."""

    __slots__ = ("words",)

    def __init__(self, words: str) -> None:
        self.words = words

    def __str__(self) -> str:
        return self.words

    def __getitem__(self, key: Any) -> "Later":
        return self

    def refuse(self, *_: Any) -> NoReturn:
        """Raise LaterError: what is asked for needs the value itself."""
        raise LaterError(self.words)

    __repr__ = __bool__ = __hash__ = __iter__ = __len__ = __contains__ = __call__ = refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __rmod__ = refuse
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __pow__ = __rpow__ = refuse
    __neg__ = __pos__ = __int__ = __float__ = __index__ = refuse


def refuse_later(*values: Any) -> None:
    """Raise LaterError for the first value that is not known yet."""
    for value in values:
        if isinstance(value, Later):
            value.refuse()
