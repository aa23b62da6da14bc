"""FILES → DOCUMENTS: what the author wrote, and where. Never speaks to a remote."""
