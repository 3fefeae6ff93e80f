"""What all test folders share: the referees and the specimens are importable from each of them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
