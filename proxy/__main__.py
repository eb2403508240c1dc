"""`python -m proxy` is the command `sidelight`."""

import sys

from proxy.cli import main

sys.exit(main())
