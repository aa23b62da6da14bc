"""EVENTS → WORDS: what happened, for people and for machines. Drives nothing."""
