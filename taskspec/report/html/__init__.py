"""The report as one page of HTML, made of an account. Reads nothing but its own style and script."""
