"""The policies that are there without being written; a file may override any key of them.

`default` is empty: the defaults of the keys are its own.
"""

from proxy.settings.reading import read
from proxy.settings.tree import Keys

POLICIES = """
default: {}

fast:
  retry: { attempts: 3, first_pause: 500ms, max_pause: 5s }

patient:
  retry: { attempts: 3, first_pause: 1s, max_pause: 10s }

model:
  timeouts: { head: 5m, gap: 2m, total: 10m }
  retry: { attempts: 2, first_pause: 2s, max_pause: 10s }
  breaker: { consecutive: 3, cool_down: 60s }

streamed-chat:
  timeouts: { connect: 3s, head: 60s, first_event: 2m, gap: 60s, total: 3m, max_stream: 15m }
  retry: { attempts: 2, on: [connect] }
  breaker: { failure_ratio: 0.5, min_attempts: 10, window: 30s, consecutive: 3, cool_down: 60s }
"""


def shipped() -> Keys:
    """A tree of its own of the shipped policies."""
    tree, _ = read(POLICIES, "shipped policies", {})
    return tree
