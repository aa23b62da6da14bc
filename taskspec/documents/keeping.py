"""What is wrong with the places that a project names for its states, in every environment. Opens none."""

from collections.abc import Iterator, Mapping

from taskspec.diagnostics import Diagnostic, Position
from taskspec.documents.model import Document
from taskspec.documents.places import Place, PlaceKind, place_of, secret_in
from taskspec.settings import DEFAULT_ENVIRONMENT


def state_trouble(document: Document) -> Iterator[Diagnostic]:
    """Find places that are none, secrets in them, and addresses that two environments have in common."""
    spec = document.value.get("spec") or {}
    places: list[tuple[str, Place]] = []
    for environment, written, path in _written(spec):
        if written is None:
            continue
        position = document.position(path)
        try:
            places.append((environment, place_of(written)))
        except ValueError as error:
            yield _no_place(written, str(error), path, position)
        if secret := secret_in(written):
            yield Diagnostic(
                summary="Secret in a manifest",
                detail=f"`{'.'.join(path)}` holds {secret}.",
                hint="Take it out, and replace it where it is in use: everybody who reads the repository has it. "
                "docs/shared-state.md tells from where it is taken.",
                position=position,
                quotable=False,
            )
    yield from _shared_addresses(document, places)


def _written(spec: Mapping[str, object]) -> Iterator[tuple[str, str | None, tuple[str, ...]]]:
    """Yield each environment, the place that holds in it, and where that stands."""
    own = spec.get("state")
    yield DEFAULT_ENVIRONMENT, own if isinstance(own, str) else None, ("spec", "state")
    environments = spec.get("environments")
    for name, given in environments.items() if isinstance(environments, Mapping) else ():
        place = given.get("state") if isinstance(given, Mapping) else None
        yield name, place if isinstance(place, str) else None, ("spec", "environments", name, "state")


def _no_place(written: str, why: str, path: tuple[str, ...], position: Position) -> Diagnostic:
    return Diagnostic(
        summary="Wrong value",
        detail=f"`{'.'.join(path)}` {why}.",
        hint="Write, for example, `postgresql://user@host/database` or `s3://bucket/prefix`.",
        position=position,
        quotable=secret_in(written) is None,
    )


def _shared_addresses(document: Document, places: list[tuple[str, Place]]) -> Iterator[Diagnostic]:
    """Find environments with one address that is one state alone: where the project has none, all of them share it."""
    spec = document.value.get("spec") or {}
    told = dict(places)
    owners: dict[str, str] = {}
    for environment in (DEFAULT_ENVIRONMENT, *spec.get("environments", {})):
        place = told.get(environment, told.get(DEFAULT_ENVIRONMENT))
        if place is None or place.kind is not PlaceKind.HTTP:
            continue
        if (other := owners.setdefault(place.url, environment)) != environment:
            own = environment in told
            path = ("spec", "environments", environment, "state") if own else ("spec", "environments", environment)
            yield Diagnostic(
                summary="Shared address",
                detail=f"The environments `{other}` and `{environment}` have one address for their states, and an "
                "address is one state.",
                hint=f"Give `{environment}` one of its own: `environments: {{{environment}: {{state: https://…}}}}`.",
                position=document.position(path, key=not own),
            )
