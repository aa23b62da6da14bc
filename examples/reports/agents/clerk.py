"""The clerk: a letter to one customer. Knows no figures."""

import sys

from orders import Order, carry_out


def letter(order: Order) -> str:
    """Return the letter."""
    news = f"our figures of {order.number('Year')} are out ({order.value('Edition')})."
    thanks = f"We thank {order.value('Company')} for the year."
    return "\n\n".join([f"Dear {order.value('Contact')},", f"{news} {thanks}", "The sales team"])


if __name__ == "__main__":
    sys.exit(carry_out(letter))
