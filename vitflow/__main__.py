"""``python -m vitflow``."""

import sys

from vitflow.cli import main

sys.exit(main())
