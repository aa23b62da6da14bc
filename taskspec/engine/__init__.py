"""The embedded task engine: the task API served on this machine, with local agents. Its entrance is `hosting`."""
