"""Puts the neighbouring folders of tests on the path, for whoever runs the harness without pytest: import it first."""

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
for folder in ("apply", "", "crash"):
    sys.path.insert(0, str(TESTS / folder))
