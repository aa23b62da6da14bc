"""The writer: one page on a quarter, out of the figures in its prompt. Computes none of them."""

import sys

from orders import Order, RefusalError, carry_out

OPENINGS = {
    "plain": "{region} sold {units:,} pieces for €{revenue:,} in {quarter}, {share} of the year.",
    "formal": "In {quarter}, the region {region} achieved a revenue of €{revenue:,} with {units:,} pieces, "
    "which is {share} of the year.",
}


def page(order: Order) -> str:
    """Return the page."""
    region, quarter, year = order.value("Region").upper(), order.value("Quarter").upper(), order.number("Year")
    tone, share = order.value("Tone"), order.value("Share of the year").split()[0]
    if tone not in OPENINGS:
        raise RefusalError(f"`Tone` must be one of {', '.join(OPENINGS)}, not {tone!r}.")
    opening = OPENINGS[tone].format(
        region=region, quarter=quarter, share=share, units=order.number("Units"), revenue=order.number("Revenue")
    )
    lines = [
        f"# {region}: {quarter} {year} ({order.value('Edition')})",
        opening,
        f"What sold best: {order.value('Best product')}.",
        order.last_line,
    ]
    return "\n\n".join(line for line in lines if line)


if __name__ == "__main__":
    sys.exit(carry_out(page))
