"""Settings from the environment."""

import pytest

from proxy.settings.environment import segment
from proxy.settings.faults import SettingsError
from proxy.settings.load import load, parse

FILE = """
listen: { port: 8000 }
upstreams:
  chat-api: { endpoints: ["http://a:1"] }
policies:
  mine: { retry: { attempts: 2 } }
routes:
  - { name: chat, match: { path: /chat }, upstream: chat-api, policy: mine }
  - { name: rest, match: { path: / }, upstream: chat-api }
"""


def settings(**env):
    return parse(FILE, {f"SIDELIGHT_{name}": value for name, value in env.items()}, "x")


def refusals(**env):
    with pytest.raises(SettingsError) as refused:
        settings(**env)
    return [str(fault) for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("key", "name"),
    [("streamed-chat", "STREAMED_CHAT"), ("a.b_c1", "A_B_C1"), ("é", "_")],
)
def test_a_key_is_in_upper_case_with_underscores(key, name):
    assert segment(key) == name


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        pytest.param("LISTEN__PORT", "9", lambda s: s.listen.port == 9, id="over the file"),
        pytest.param("EVENT_LOOP", "asyncio", lambda s: s.event_loop == "asyncio", id="top level"),
        pytest.param("DRAIN__LIMIT", "9s", lambda s: s.drain.limit == 9, id="not in the file"),
        pytest.param(
            "POLICIES__MINE__TIMEOUTS__HEAD",
            "9s",
            lambda s: [r.timeouts.head for r in s.routes] == [9, 30],
            id="a policy and so its routes",
        ),
        pytest.param(
            "POLICIES__STREAMED_CHAT__RETRY__BUDGET__CAPACITY",
            "9",
            lambda s: s.policies["streamed-chat"].retry.budget.capacity == 9,
            id="a shipped policy, four levels down",
        ),
        pytest.param(
            "ROUTES__REST__RETRY__ATTEMPTS",
            "1",
            lambda s: [r.retry.attempts for r in s.routes] == [2, 1],
            id="a route by its name",
        ),
        pytest.param(
            "UPSTREAMS__CHAT_API__ENDPOINTS",
            "http://b:1,http://c:1",
            lambda s: s.upstreams["chat-api"].endpoints == ("http://b:1", "http://c:1"),
            id="an upstream by its name",
        ),
        pytest.param(
            "OBSERVE__FIELDS__USER__HEADER",
            "X-User",
            lambda s: s.observe.fields["user"].header == "X-User",
            id="a new field",
        ),
        pytest.param(
            "CORS",
            "{ origins: ['*'] }",
            lambda s: s.routes[0].cors.origins == ("*",),
            id="a section",
        ),
        pytest.param(
            "ADMIN__TOKEN",
            "1234567890123456",
            lambda s: s.admin.token.get_secret_value() == "1234567890123456",
            id="digits where text is wanted",
        ),
        pytest.param("ADMIN__TOKEN", "null", lambda s: s.admin.token is None, id="null"),
    ],
)
def test_a_variable_lies_over_the_file(name, value, read):
    assert read(settings(**{name: value}))


def test_an_upstream_and_a_route_can_come_from_the_environment_alone():
    env = {
        "SIDELIGHT_UPSTREAMS__BIG_ONE__ENDPOINTS": "http://a:1",
        "SIDELIGHT_ROUTES__ALL__MATCH__PATH": "/",
        "SIDELIGHT_ROUTES__ALL__UPSTREAM": "big_one",
    }

    made = load(None, env)

    assert list(made.upstreams) == ["big_one"]
    assert [(route.name, route.upstream) for route in made.routes] == [("all", "big_one")]


def test_all_routes_can_be_given_at_once_with_their_policies():
    made = settings(ROUTES="[{ name: a, match: { path: / }, upstream: chat-api, policy: mine }]")

    assert [(route.name, route.retry.attempts) for route in made.routes] == [("a", 2)]


def test_the_endpoints_of_an_upstream_that_only_a_route_names_can_be_given():
    text = "routes: [{ name: a, match: { path: / }, upstream: Chat.Api }]"

    made = parse(text, {"SIDELIGHT_UPSTREAMS__CHAT_API__ENDPOINTS": "http://a:1"})

    assert list(made.upstreams) == ["Chat.Api"]


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("LISTEN__PROT", "1", 'listen.prot: unknown key; did you mean "port"?'),
        ("LISTEN__", "1", "listen.: unknown key"),
        ("LISTEN__PORT__X", "1", "listen.port: has no keys below it"),
        ("LISTEN__PORT", "tcp", 'listen.port: "tcp" is not a whole number'),
        ("LISTEN__PORT", "", 'listen.port: "" is not a whole number'),
        ("LISTEN__KEEP_ALIVE", "5", "listen.keep_alive: 5 has no unit; write 5s or 5ms"),
        ("LISTEN", "80", 'listen: must be a section of keys, not "80"'),
        (
            "ROUTES__CAHT__TIMEOUTS__HEAD",
            "1s",
            (
                'routes.caht: no route is named "caht", and as a new one it lacks match and '
                'upstream; did you mean "chat"?'
            ),
        ),
        (
            "UPSTREAMS__CHATAPI__HOST",
            "a",
            (
                'upstreams.chatapi: no upstream is named "chatapi", and as a new one it lacks '
                'endpoints; did you mean "chat-api"?'
            ),
        ),
        (
            "POLICIES__FSAT__RETRY__ATTEMPTS",
            "1",
            'policies.fsat: no policy is named "fsat"; did you mean "fast"?',
        ),
        ("POLICIES____RETRY", "{}", 'policies.: no policy is named ""'),
        ("SERVICE", "\udcff", "has bytes or characters in it that are not UTF-8 text"),
    ],
)
def test_a_variable_that_cannot_be_laid_is_refused_by_its_name(name, value, fault):
    assert refusals(**{name: value}) == [f"env SIDELIGHT_{name}: {fault}"]


def test_a_section_that_is_no_section_is_not_entered():
    with pytest.raises(SettingsError) as refused:
        parse("listen: 80", {"SIDELIGHT_LISTEN__PORT": "1"}, "x")

    fault = "env SIDELIGHT_LISTEN__PORT: listen: is no section of keys at x:1:9"
    assert fault in str(refused.value)


def test_routes_without_a_name_of_their_own_are_not_lost():
    text = FILE + "  - { name: rest, match: { path: /b }, upstream: chat-api }\n  - {}\n"

    with pytest.raises(SettingsError) as refused:
        parse(text, {}, "x")
    assert [str(fault) for fault in refused.value.faults][:2] == [
        "x:10:13: routes[2].name: a route with this name is at x:9:13 already",
        "x:11:5: routes[3].name: is required",
    ]


def test_two_names_that_are_the_same_in_the_environment_are_refused_when_used():
    text = FILE.replace("  mine:", "  a-b: {}\n  a_b: {}\n  mine:")
    env = {"SIDELIGHT_POLICIES__A_B__MAX_BODY": "1MiB"}

    assert parse(text, {})
    with pytest.raises(SettingsError) as refused:
        parse(text, env, "x")
    assert str(refused.value) == (
        "env SIDELIGHT_POLICIES__A_B__MAX_BODY: policies: "
        '"a-b" and "a_b" have the same name here; rename one of them'
    )


def test_what_kubernetes_puts_beside_them_is_ignored_with_one_warning():
    made = settings(
        PORT="tcp://10.0.0.1:8080",
        SERVICE_HOST="10.0.0.1",
        PORT_8080_TCP_ADDR="10.0.0.1",
        LISTEN_PORT="9",
    )

    assert made.listen.port == 8000
    assert made.warnings == (
        (
            "ignored, because there are no such settings: SIDELIGHT_LISTEN_PORT, SIDELIGHT_PORT, "
            "SIDELIGHT_PORT_8080_TCP_ADDR, SIDELIGHT_SERVICE_HOST; "
            "levels are joined by two underscores, as in SIDELIGHT_LISTEN__PORT"
        ),
    )


def test_other_variables_are_nobodys_business():
    assert (
        parse(FILE, {"PATH": "/bin", "LISTEN__PORT": "9", "XSIDELIGHT_SERVICE": "a"}) == settings()
    )
    assert settings().warnings == ()


def test_variables_are_not_interpolated():
    assert refusals(SERVICE="${PATH}")[0].startswith('env SIDELIGHT_SERVICE: service: "${PATH}" is')
