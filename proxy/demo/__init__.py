"""The demo chat backend: something real to stand in front of.

Not a part of the proxy: it knows nothing of it and runs in a process of its own.
"""

from proxy.demo.backend import Runner, run_backend, serve_demo
from proxy.demo.process import process

__all__ = ["Runner", "process", "run_backend", "serve_demo"]
