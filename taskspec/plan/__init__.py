"""State, desired and observed → the plan: pure decisions over values. Asks no clock, no remote and no store."""
