"""Settings of the spans: what is refused says what to write instead, and quotes no secret."""

import pytest
from pydantic import ValidationError

from proxy.settings.faults import SettingsError
from proxy.settings.load import parse
from proxy.tracing.rules import TracingRule


@pytest.mark.parametrize(
    "endpoint", ["collector:4318", "grpc://c:4317", "http://", "http://c:0", "http://c/?k=hush"]
)
def test_a_collector_is_a_plain_url(endpoint: str) -> None:
    with pytest.raises(ValidationError, match='a collector is "http://host:4318"') as refused:
        TracingRule(endpoint=endpoint)

    assert "hush" not in str(refused.value)


def test_no_secret_stands_in_the_url() -> None:
    with pytest.raises(ValidationError, match=r"tracing\.headers") as refused:
        TracingRule(endpoint="http://user:hush@collector:4318")

    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param("endpoint: collector:4318", "secrets belong into tracing.headers", id="URL"),
        pytest.param(
            "headers: { 'a b': x }",
            "^[A-Za-z0-9!#$%&*+.^_|~-]+$",
            id="name of a header",
        ),
        pytest.param("headers: { Host: hush }", "is written by Sidelight", id="one of ours"),
        pytest.param("headers: { a: é }", "printable ASCII, here it is not", id="value of one"),
    ],
)
def test_what_is_expected_is_said_whole(rule: str, expected: str) -> None:
    """What hides secrets in messages must not hide what to write instead."""
    with pytest.raises(SettingsError) as refused:
        parse(f"tracing: {{ {rule} }}\nupstreams: {{}}\nroutes: []\n")
    (told,) = (f.message for f in refused.value.faults if f.path[0] == "tracing")

    assert told.endswith(expected)


def test_a_key_needs_its_certificate() -> None:
    with pytest.raises(ValidationError, match="key needs certificate"):
        TracingRule(key="/us.key")


@pytest.mark.parametrize(
    "headers",
    [{"a b": "x"}, {"a": "x\r\nb: c"}, {"a": "é"}, {"Content-length": "7"}, {"HOST": "a"}],
)
def test_headers_can_stand_in_a_head(headers: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        TracingRule(headers=headers)


@pytest.mark.parametrize(
    "link", ["https://jaeger/trace", "javascript:alert({trace_id})", "{trace_id}"]
)
def test_a_link_has_a_place_for_the_trace(link: str) -> None:
    with pytest.raises(ValidationError, match="where the ID of the trace belongs"):
        TracingRule(link=link)


def test_headers_are_never_shown() -> None:
    assert "hush" not in repr(TracingRule(headers={"api-key": "hush"}))


def test_names_of_headers_and_attributes_are_the_users_own_in_a_file() -> None:
    text = """
tracing:
  headers: { api-key: hush }
  resource: { deployment.environment.name: prod }
upstreams: { chat: { endpoints: ["http://127.0.0.1:1"] } }
routes: [{ name: all, match: {}, upstream: chat }]
"""
    rule = parse(text).tracing

    assert "hush" == rule.headers["api-key"].get_secret_value()
    assert {"deployment.environment.name": "prod"} == rule.resource
