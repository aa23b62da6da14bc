"""taskspec: declare the work of AI agents, plan it, apply it, keep every result."""

__version__ = "0.1.0"
