"""Where the modules of the harness are found."""

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
for folder in ("saved", "crash"):
    sys.path.insert(0, str(TESTS / folder))
