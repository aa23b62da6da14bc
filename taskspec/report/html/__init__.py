"""The report as one page of HTML, made of an account. Reads nothing but its own style and script."""

from taskspec.report.html.composing import page

__all__ = ["page"]
