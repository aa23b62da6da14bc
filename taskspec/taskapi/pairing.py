"""Both colours of a call, blocking and waiting, from the one function that tells what it asks. Asks nobody itself."""

import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, get_args, get_origin

from taskspec.taskapi.messages import Call, T


class Carrier(Protocol):
    """What carries calls out, in both colours."""

    def run(self, call: Call[T], /) -> T:
        """Carry out a call and return its value."""
        ...

    def arun(self, call: Call[T], /) -> Coroutine[Any, Any, T]:
        """Carry out a call in the running loop and return its value."""
        ...


class Carried(Protocol):
    """An object whose calls go through its own session."""

    @property
    def _session(self) -> Carrier: ...


Errand = tuple[Carrier, Call[T]]
"""A call, and who carries it out: for methods that can be told another configuration than the object's own."""

P = ParamSpec("P")
S = TypeVar("S", bound=Carried)
C = TypeVar("C")
F = TypeVar("F", bound=Callable[..., Any])


def paired(
    method: Callable[Concatenate[S, P], Call[T]],
) -> tuple[Callable[Concatenate[S, P], T], Callable[Concatenate[S, P], Coroutine[Any, Any, T]]]:
    """Return the blocking and the waiting method of a generator method `_name`: `name` and `aname`."""

    def blocking(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._session.run(method(self, *args, **kwargs))

    async def waiting(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._session.arun(method(self, *args, **kwargs))

    return _dressed(blocking, method, ""), _dressed(waiting, method, "a")


def paired_errand(
    method: Callable[P, Errand[T]],
) -> tuple[Callable[P, T], Callable[P, Coroutine[Any, Any, T]]]:
    """Return both colours of a method that says itself who carries its call out."""

    def blocking(*args: P.args, **kwargs: P.kwargs) -> T:
        carrier, call = method(*args, **kwargs)
        return carrier.run(call)

    async def waiting(*args: P.args, **kwargs: P.kwargs) -> T:
        carrier, call = method(*args, **kwargs)
        return await carrier.arun(call)

    return _dressed(blocking, method, ""), _dressed(waiting, method, "a")


def paired_class_errand(
    method: Callable[Concatenate[type[C], P], Errand[T]],
) -> tuple["classmethod[C, P, T]", "classmethod[C, P, Coroutine[Any, Any, T]]"]:
    """Return both colours, as class methods, of a function whose first argument is the class."""
    blocking, waiting = paired_errand(method)
    return classmethod(blocking), classmethod(waiting)


def _dressed(function: F, method: Callable[..., Any], prefix: str) -> F:
    """Give a function the name, the words and the signature that its caller is to see."""
    signature = inspect.signature(method)
    value = _value_type(signature.return_annotation)
    owner, dot, name = method.__qualname__.rpartition(".")
    function.__name__ = prefix + name.lstrip("_")
    function.__qualname__ = owner + dot + function.__name__
    function.__module__ = method.__module__
    function.__doc__ = method.__doc__
    function.__annotations__ = {**method.__annotations__, "return": value}
    function.__signature__ = signature.replace(return_annotation=value)  # type: ignore[attr-defined]
    return function


def _value_type(annotation: Any) -> Any:
    """Return the type of the value in `Call[value]` or `Errand[value]`, also where that is written as text."""
    if isinstance(annotation, str):
        return annotation.partition("[")[2].rpartition("]")[0]
    value = get_args(annotation)[-1]
    return get_args(value)[-1] if get_origin(annotation) is tuple else value
