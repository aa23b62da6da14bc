"""The reporter: a page of Markdown on growth or on regions. Run as `python agents/reporter.py`; forecasts nothing."""

import sys
from collections.abc import Callable, Hashable, Iterable, Mapping
from decimal import Decimal
from typing import Final, TypeVar

import sales
from briefing import Briefing, BriefingError, answer
from sales import Sale

QUARTERS: Final = ("Q1", "Q2", "Q3", "Q4")

Key = TypeVar("Key", bound=Hashable)


def report(briefing: Briefing) -> str:
    """Return the report that the prompt names."""
    kinds: Mapping[str, Callable[[Briefing], str]] = {"growth": _growth, "regions": _regions}
    kind = briefing.text("report")
    if kind not in kinds:
        raise BriefingError(f"`Report` must be one of {', '.join(kinds)}, not {kind!r}.")
    return kinds[kind](briefing)


def _growth(briefing: Briefing) -> str:
    region, year = briefing.text("region"), briefing.integer("year")
    everything = sales.within(_in_channels(briefing), region=region)
    before, now = sales.during(everything, year=year - 1), sales.during(everything, year=year)
    by_product = _changes(before, now, lambda sale: sale.product)
    total_before, total_now = _total(before), _total(now)
    return "\n".join(
        [
            f"# {region.upper()}: {year} against {year - 1}",
            "",
            f"Revenue went from {_money(total_before)} to {_money(total_now)} ({_percent(total_before, total_now)}).",
            f"{by_product[0][0]} grew most, {by_product[-1][0]} least.",
            "",
            "## By product",
            "",
            *_table("Product", year, by_product),
            "",
            "## By channel",
            "",
            *_table("Channel", year, _changes(before, now, lambda sale: sale.channel)),
        ]
    )


def _regions(briefing: Briefing) -> str:
    year = briefing.integer("year")
    chosen = sales.during(_in_channels(briefing), year=year)
    cells = sales.revenue_by(chosen, lambda sale: (sale.region, QUARTERS[(int(sale.month[5:]) - 1) // 3]))
    by_region = sales.revenue_by(chosen, lambda sale: sale.region)
    total = _total(chosen)
    leader = max(by_region, key=lambda region: by_region[region])
    return "\n".join(
        [
            f"# Regions in {year}",
            "",
            f"All regions together sold {_money(total)}; {leader} leads with {by_region[leader] / total:.0%} of it.",
            "",
            f"| Region | {' | '.join(QUARTERS)} | Year | Share |",
            "|---|---:|---:|---:|---:|---:|---:|",
            *(
                f"| {region} | {' | '.join(_money(cells.get((region, quarter), Decimal())) for quarter in QUARTERS)} "
                f"| {_money(by_region[region])} | {by_region[region] / total:.1%} |"
                for region in sorted(by_region, key=lambda region: -by_region[region])
            ),
        ]
    )


def _in_channels(briefing: Briefing) -> list[Sale]:
    wanted = [name.strip() for name in briefing.text("channels").split(",")]
    everything = sales.read(briefing.file())
    known = {sale.channel for sale in everything}
    if unknown := [name for name in wanted if name not in known]:
        raise BriefingError(f"The channel {unknown[0]!r} has no sales; the file has {', '.join(sorted(known))}.")
    return [sale for sale in everything if sale.channel in wanted]


def _changes(
    before: Iterable[Sale], now: Iterable[Sale], key: Callable[[Sale], Key]
) -> list[tuple[Key, Decimal, Decimal]]:
    old, new = sales.revenue_by(before, key), sales.revenue_by(now, key)
    both = [(name, old[name], new[name]) for name in new if old.get(name, Decimal()) > 0]
    if not both:
        raise BriefingError("Nothing was sold in both years, so there is no growth to report.")
    return sorted(both, key=lambda change: -(change[2] / change[1]))


def _table(first: str, year: int, changes: Iterable[tuple[object, Decimal, Decimal]]) -> Iterable[str]:
    yield f"| {first} | {year - 1} | {year} | Change |"
    yield "|---|---:|---:|---:|"
    for name, before, now in changes:
        yield f"| {name} | {_money(before)} | {_money(now)} | {_percent(before, now)} |"


def _total(sold: Iterable[Sale]) -> Decimal:
    total = sum((sale.revenue for sale in sold), Decimal())
    if total <= 0:
        raise BriefingError("Nothing was sold, less what was returned, in these channels.")
    return total


def _money(amount: Decimal) -> str:
    return f"{amount:,.0f}"


def _percent(before: Decimal, now: Decimal) -> str:
    return f"{now / before - 1:+.1%}"


if __name__ == "__main__":
    sys.exit(answer(report))
