"""What differs between two settings, and what of it a reload leaves."""

import json
import random

import pytest

from proxy.settings.difference import KeyChange, changes
from proxy.settings.load import parse
from proxy.settings.restart import AT_START, awaiting_restart, effective
from proxy.settings.schema import Settings
from tests.house.house import settings_of
from tests.house.test_reload_storm import DOWN, LIMITED, good
from tests.reload.conftest import SETTINGS, settings

TOKEN = "first-secret-of-sixteen"
OTHER = "other-secret-of-sixteen"


def test_the_same_settings_differ_in_nothing() -> None:
    assert [] == changes(settings(), settings())


@pytest.mark.parametrize(
    ("change", "found"),
    [
        pytest.param(("gap: 7s", "gap: 8s"),
                     ["policies.mine.timeouts.gap: 7s -> 8s", "routes.chat.timeouts.gap: 7s -> 8s"],
                     id="a key of a policy is one of its routes too"),
        pytest.param(("limit: 5", "limit: null"), ["routes.chat.concurrency.limit: 5 -> null"],
                     id="no value is one as well"),
        pytest.param(("name: rest", "name: left"),
                     ["routes.rest: gone",
                      'routes.left: new, {"name": "left", "match": {}, "upstream": "other"}'],
                     id="another name is another route"),
        pytest.param(("http://127.0.0.1:9", "http://127.0.0.1:19"),
                     ['upstreams.model.endpoints: ["http://127.0.0.1:9"] -> ["http://127.0.0.1:19"]'],
                     id="a list is shown whole"),
    ],
)  # fmt: skip
def test_each_key_that_differs_is_named(change: tuple[str, str], found: list[str]) -> None:
    assert found == [str(one) for one in changes(settings(), settings(change))]


def test_the_order_of_routes_is_told() -> None:
    head, first, second = SETTINGS.partition("  - name: chat")[0], *SETTINGS.split("  - ")[1:3]
    other = settings(text=f"{head}  - {second}  - {first}")

    assert ["routes"] == [change.key for change in changes(settings(), other)]


def test_secrets_are_named_and_never_quoted() -> None:
    old, new = (settings(text=f"{SETTINGS}admin: {{ token: {t} }}\n") for t in (TOKEN, OTHER))
    found = changes(old, new)

    assert [KeyChange("admin.token", "(another secret)", "(another secret)")] == found


def route_with(more: str) -> Settings:
    return settings(
        text=f"""
upstreams: {{ model: {{ endpoints: ["http://127.0.0.1:9"] }} }}
routes: [{{ name: chat, match: {{ path: / }}, upstream: model, {more} }}]
"""
    )


def test_keys_that_only_sound_like_secrets_are_shown() -> None:
    limit = "rate_limit: [{ rate: %s, by: { header: X-Api-Key }, keys: 5000 }]"
    (found,) = changes(*(route_with(limit % rate) for rate in ("5/1s", "6/1s")))

    assert '[{"rate": "5/1s", "by": {"header": "X-Api-Key"}, "keys": 5000}]' == found.before


def test_values_of_names_are_one_value() -> None:
    """They may hold what authorizes, so they are hidden."""
    header = "headers: { request: { set: { Authorization: Bearer %s } } }"
    found = changes(*(route_with(header % text) for text in (TOKEN, OTHER)))

    assert [
        KeyChange("routes.chat.headers.request.set", "(another secret)", "(another secret)")
    ] == found


def test_long_values_are_shown_where_they_part() -> None:
    long = ", ".join(f'"http://h{n}:1"' for n in range(100))
    (found,) = changes(*(settings(('"http://127.0.0.1:9"', f'{long}, "{end}"'))
                         for end in ("http://one:1", "http://two:1")))  # fmt: skip

    assert found.before.startswith("…")
    assert found.before.endswith('"http://one:1"]')
    assert found.after.endswith('"http://two:1"]')


def test_long_values_are_cut() -> None:
    long = ", ".join(f'"http://h{n}:1"' for n in range(100))
    (found,) = changes(settings(), settings(('"http://127.0.0.1:9"', long)))

    assert len(found.after) <= 120


@pytest.mark.parametrize("path", AT_START, ids=".".join)
def test_what_needs_a_restart_is_named_and_stays(path: tuple[str, ...]) -> None:
    value = {
        "overload": "{ loop_lag: 1s }",
        "tracing": "{ sample: 0.5 }",
        "event_loop": "asyncio",
        "port": "9",
        "path": "/x",
        "url": "postgresql://db/s",
        "host": "'::1'",
        "tls": "{ certificate: /c, key: /k }",
    }.get(path[-1], "7")
    key = f"{path[0]}: {value}" if len(path) == 1 else f"{path[0]}: {{ {path[1]}: {value} }}"
    running, new = settings(), settings(("gap: 7s", "gap: 8s"), text=f"{SETTINGS}{key}\n")
    taken = effective(running, new)

    assert (".".join(path),) == awaiting_restart(running, new)
    assert () == awaiting_restart(running, taken)
    assert 8.0 == taken.routes[0].timeouts.gap
    assert taken.config_hash == settings(("gap: 7s", "gap: 8s")).config_hash != new.config_hash


def test_several_keys_of_one_section_stay() -> None:
    new = settings(text=f"{SETTINGS}listen: {{ host: '::1', port: 1, max_connections: 5 }}\n")
    taken = effective(settings(), new).listen

    assert ("0.0.0.0", 8080, 5) == (taken.host, taken.port, taken.max_connections)


@pytest.mark.parametrize("seed", range(20))
def test_no_difference_is_overlooked_and_none_invented(seed: int) -> None:
    """Of settings made by chance: they differ exactly where something is said to differ."""
    rng = random.Random(seed)
    base = settings_of("http://127.0.0.1:9", more_routes=[DOWN, LIMITED, {}])
    base["upstreams"]["nobody"] = {"endpoints": ["http://127.0.0.1:1"]}
    one, other = (parse(json.dumps(good(rng, "http://127.0.0.1:9", base))) for _ in "ab")
    keys = [change.key for change in changes(one, other)]

    assert (one == other) == (keys == [])
    assert len(keys) == len(set(keys))
    assert sorted(keys) == sorted(change.key for change in changes(other, one))
    assert [] == changes(one, effective(one, one))
