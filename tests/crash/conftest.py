"""Where the modules of the harness are found."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import neighbours  # noqa: F401
