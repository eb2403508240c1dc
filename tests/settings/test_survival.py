"""What ends with a change, in words; which objects are handed over is shown by tests/reload."""

import pytest

from proxy.settings.survival import lost_state
from tests.reload.conftest import SETTINGS, settings


def test_a_change_that_touches_no_state_ends_nothing() -> None:
    assert [] == lost_state(settings(), settings(("gap: 7s", "gap: 8s"), ("limit: 5", "limit: 6")))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (("cool_down: 30s", "cool_down: 31s"), "routes.chat: its circuit, which begins closed"),
        (("capacity: 20", "capacity: 1"), "routes.chat: its retry budget, which begins full"),
        (("10/1m", "11/1m"), "routes.chat: the buckets of its rate limit 10/1m"),
        (("concurrency: { limit: 5 }", "concurrency: {}"),
         "routes.chat: the count of requests under way"),
        (("name: rest", "name: left"),
         "routes.rest is gone: its circuit, budget, buckets and places"),
        (("127.0.0.1:9", "127.0.0.1:8"),
         ("upstreams.model: idle connections and the state of its endpoints; "
          "running exchanges end on the old connections")),
    ],
)  # fmt: skip
def test_what_ends_is_said(change: tuple[str, str], found: str) -> None:
    assert [found] == lost_state(settings(), settings(change))


def test_what_ends_with_an_upstream_that_is_gone() -> None:
    old = settings(
        text=SETTINGS.replace("  other:", '  idle: { endpoints: ["http://a"] }\n  other:')
    )

    assert ["upstreams.idle is gone: its connections close as their exchanges end"] == lost_state(
        old, settings()
    )


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("admin: { token: sixteen-letters-x }", "admin.token"),
        ("observe: { hash_key: sixteen-letters-x }", "observe.hash_key"),
        ("stories: { memory: 1MiB }", "stories.memory"),
    ],
)
def test_what_ends_besides(line: str, key: str) -> None:
    (found,) = lost_state(settings(), settings(text=f"{SETTINGS}{line}\n"))

    assert found.startswith(f"{key}: ")
