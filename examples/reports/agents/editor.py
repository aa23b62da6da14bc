"""The editor: the first sentence of each page in its prompt, by region. Adds nothing of its own."""

import sys
from collections import defaultdict

from orders import Order, RefusalError, carry_out


def summary(order: Order) -> str:
    """Return one line for each page."""
    regions: dict[str, list[str]] = defaultdict(list)
    for page in order.prompt.split("\nPage: ")[1:]:
        name, *lines = page.splitlines()
        region, _, quarter = name.partition(" ")
        sentences = [line for line in lines if line.strip() and not line.startswith("#")]
        if not sentences:
            raise RefusalError(f"The page on {name} is empty.")
        regions[region].append(f"- {quarter.upper()}: {sentences[0]}")
    if not regions:
        raise RefusalError("The prompt holds no page.")
    parts = [f"# {order.number('Year')} in one page ({order.value('Edition')})"]
    for region, lines in regions.items():
        parts += [f"## {region.upper()}", "\n".join(lines)]
    return "\n\n".join([*parts, *filter(None, [order.last_line])])


if __name__ == "__main__":
    sys.exit(carry_out(summary))
