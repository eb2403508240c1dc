"""Text becomes what its key wants, or is refused."""

import pytest

from proxy.settings.reading import read
from proxy.settings.schema import shape
from proxy.settings.values import Values, number, truth, whole


def values_of(text):
    values = Values()
    tree, _ = read(text, "x", {})
    return values.of(tree, shape()), [str(fault) for fault in values.faults], values.broken


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("service: 1234", {"service": "1234"}),
        ("service: off", {"service": "off"}),
        ("service: 22:22", {"service": "22:22"}),
        ("listen: { port: 80 }", {"listen": {"port": 80}}),
        ('listen: { port: "80" }', {"listen": {"port": 80}}),
        ("log: { sample: 1e-1 }", {"log": {"sample": 0.1}}),
        ("identity: { trust_from: [10.0.0.0/8] }", {"identity": {"trust_from": ["10.0.0.0/8"]}}),
        ("cors: { credentials: true }", {"cors": {"credentials": True}}),
        ("cors: null", {"cors": None}),
        ("admin: { token: ~ }", {"admin": {"token": None}}),
        ("listen:\nroutes:", {"listen": {}, "routes": []}),
        ("policies: { a: { max_body: 1 } }", {"policies": {"a": {"max_body": "1"}}}),
    ],
)
def test_text_is_read_as_what_its_key_wants(text, value):
    assert values_of(text) == (value, [], set())


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("listen: 80", 'x:1:9: listen: must be a section of keys, not "80"'),
        ("listen: [a]", "x:1:9: listen: must be a section of keys, not a list"),
        ("service: { a: b }", "x:1:10: service: must be text, not a section of keys"),
        ("service: [a]", "x:1:10: service: must be text, not a list"),
        ("routes: {}", "x:1:9: routes: must be a list, not a section of keys"),
        (
            "policies: { a: { breaker: off } }",
            (
                'x:1:27: policies.a.breaker: must be a section of keys, not "off"; '
                "write { enabled: false }"
            ),
        ),
        (
            "policies: { a: { fallback: false } }",
            (
                'x:1:28: policies.a.fallback: must be a section of keys, not "false"; '
                "write { upstream: null, type: null, body: null, file: null }"
            ),
        ),
        (
            "policies: { a: { retry: false } }",
            (
                'x:1:25: policies.a.retry: must be a section of keys, not "false"; '
                "write { attempts: 1 }"
            ),
        ),
        (
            "alerts: { stalls: no }",
            'x:1:19: alerts.stalls: must be a section of keys, not "no"; write { above: null }',
        ),
        (
            "policies: { a: { breaker: on } }",
            (
                'x:1:27: policies.a.breaker: must be a section of keys, not "on"; '
                "leave the key out, what it holds has defaults"
            ),
        ),
        ("listen: off", 'x:1:9: listen: must be a section of keys, not "off"'),
        ("trusted_proxies: a", 'x:1:18: trusted_proxies: must be a list, not "a"'),
        ("service:", "x:1:9: service: has no value; give text, or leave the key out"),
        ("listen: { port: x }", 'x:1:17: listen.port: "x" is not a whole number'),
        ("listen: { prot: 1 }", 'x:1:11: listen.prot: unknown key; did you mean "port"?'),
        (
            "drain: { zzz: 1 }",
            "x:1:10: drain.zzz: unknown key; known here: readiness_delay, limit",
        ),
        (
            "cors: { credentials: off }",
            ('x:1:22: cors.credentials: "off" is neither true nor false; did you mean "false"?'),
        ),
    ],
)
def test_what_no_key_could_mean_is_refused_at_its_place(text, fault):
    assert values_of(text)[1] == [fault]


def test_what_has_a_fault_is_known_so_that_no_second_one_is_looked_for():
    assert values_of("listen: { port: x }\nservice: ${NO}")[2] == {
        ("listen", "port"),
        ("service",),
    }


def test_the_place_in_a_list_is_kept_when_an_entry_has_a_fault():
    assert values_of("trusted_proxies: [[a], b]")[0] == {"trusted_proxies": [None, "b"]}


@pytest.mark.parametrize("text", ["", "1.5", "1e3", "0x1F", "\u0661", "9" * 30, "1_000"])
def test_a_whole_number_is_digits(text):
    with pytest.raises(ValueError, match="is not a whole number"):
        whole(text)


@pytest.mark.parametrize("text", ["", ".inf", "nan", "1,5", "1e9999", "x"])
def test_a_number_is_finite(text):
    with pytest.raises(ValueError, match="is not a number"):
        number(text)


def test_signs_are_numbers_too():
    assert (whole("-5"), number("+1.5")) == (-5, 1.5)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("yes", "true"), ("Off", "false"), ("TRUE", "true"), ("1", None), ("", None)],
)
def test_only_true_and_false_are_yes_and_no(text, meant):
    with pytest.raises(ValueError, match="is neither true nor false") as refused:
        truth(text)

    assert refused.value.args[1] == meant
