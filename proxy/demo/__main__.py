"""`python -m proxy.demo` is the demo chat backend alone."""

import argparse
import sys

from proxy.demo.backend import run_backend

parser = argparse.ArgumentParser(prog="python -m proxy.demo", description="A demo chat backend.")
parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
parser.add_argument("--port", type=int, default=8000, help="port to listen on; 0 takes a free one")
parser.add_argument("--with-parent", action="store_true", help="end when standard input ends")
given = parser.parse_args()
sys.exit(run_backend(given.host, given.port, with_parent=given.with_parent))
