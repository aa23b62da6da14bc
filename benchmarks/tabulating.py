"""Costs as a Markdown table with ratios. Measures nothing."""

from collections.abc import Iterable, Mapping

from measuring import Cost

HEAD = (
    "| {first} | command | wall | CPU | memory | wall ratio | CPU ratio |",
    "|---|---|---:|---:|---:|---:|---:|",
)


def head(first: str) -> Iterable[str]:
    """Yield the head of the table."""
    return (line.format(first=first) for line in HEAD)


def rows(label: str, costs: Mapping[str, Cost], *, against: str = "") -> Iterable[str]:
    """Yield a row for each command; a ratio below 1 is less than the named one takes (default: the first)."""
    measure = costs[against or next(iter(costs))]
    for name, cost in costs.items():
        yield (
            f"| {label} | {name} | {cost.wall:.3f} s | {cost.cpu:.3f} s | {cost.memory:.0f} MB "
            f"| {cost.wall / measure.wall:.2f} | {cost.cpu / measure.cpu:.2f} |"
        )
