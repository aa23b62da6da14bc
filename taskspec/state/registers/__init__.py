"""A state in a register: a place for one text that is replaced by compare-and-swap, with pieces beside it."""
