"""The variables of OpenTelemetry fill in what the settings leave out."""

import pytest

from proxy.tracing.conventions import METHODS
from proxy.tracing.environment import with_environment
from proxy.tracing.rules import TracingRule
from proxy.tracing.variables import NOT_HONOURED

BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"


def url(environ: dict[str, str], **given: object) -> str | None:
    return with_environment(TracingRule(**given), "sidelight", environ).url


@pytest.mark.parametrize(
    ("given", "environ", "posted_to"),
    [
        pytest.param({}, {}, None, id="nothing is exported by default"),
        pytest.param({"endpoint": "http://c:4318"}, {}, "http://c:4318/v1/traces", id="settings"),
        pytest.param(
            {"endpoint": "https://c/otlp/v1/traces"}, {}, "https://c/otlp/v1/traces", id="whole"
        ),
        pytest.param({}, {BASE: "http://c:4318/"}, "http://c:4318/v1/traces", id="for all signals"),
        pytest.param(
            {},
            {BASE: "http://a", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/x"},
            "http://c/x",
            id="for traces, as it is",
        ),
        pytest.param(
            {},
            {BASE: "http://a", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/x/"},
            "http://c/x/",
            id="for traces, to its last slash",
        ),
        pytest.param(
            {},
            {BASE: "http://a", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "c:4318"},
            "http://a/v1/traces",
            id="for all where that for traces cannot be understood",
        ),
        pytest.param(
            {"endpoint": "http://c:4318"}, {BASE: "http://a"}, "http://c:4318/v1/traces", id="wins"
        ),
        pytest.param({}, {BASE: "grpc://c"}, None, id="what cannot be understood"),
        pytest.param(
            {"endpoint": "http://c"}, {"OTEL_SDK_DISABLED": "True"}, None, id="switched off"
        ),
        pytest.param(
            {"endpoint": "http://c"}, {"OTEL_TRACES_EXPORTER": "None"}, None, id="no exporter"
        ),
    ],
)
def test_where_spans_go(given: dict, environ: dict[str, str], posted_to: str | None) -> None:
    assert posted_to == url(environ, **given)


@pytest.mark.parametrize(
    ("environ", "key", "value"),
    [
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "2500"}, "timeout", 2.5),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "0"}, "timeout", 300.0),
        ({"OTEL_EXPORTER_OTLP_COMPRESSION": "GZIP"}, "compression", "gzip"),
        ({"OTEL_TRACES_SAMPLER": "Always_Off", "OTEL_SDK_DISABLED": "False"}, "sample", 0.0),
        ({"OTEL_PROPAGATORS": "B3, TraceContext,"}, "b3", True),
        ({"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}, "compression", "gzip"),
        ({"OTEL_EXPORTER_OTLP_CERTIFICATE": "/ca.pem"}, "ca_file", "/ca.pem"),
        ({"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "/us.pem"}, "certificate", "/us.pem"),
        (
            {
                "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "/us.pem",
                "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY": "/us.key",
            },
            "key",
            "/us.key",
        ),
        ({"OTEL_BSP_SCHEDULE_DELAY": "500"}, "interval", 0.5),
        ({"OTEL_BSP_MAX_QUEUE_SIZE": "2048"}, "queue", 2048),
        ({"OTEL_PROPAGATORS": "tracecontext,b3multi"}, "b3", True),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, "sample", 0.0),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, "follow_parent", False),
        ({"OTEL_TRACES_SAMPLER": "parentbased_always_off"}, "follow_parent", True),
        (
            {
                "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
                "OTEL_TRACES_SAMPLER_ARG": "0.25",
            },
            "sample",
            0.25,
        ),
        ({"OTEL_RESOURCE_ATTRIBUTES": "a=b%20c, d=e"}, "resource", {"a": "b c", "d": "e"}),
    ],
)
def test_a_variable_holds_where_the_key_is_left_out(environ, key, value) -> None:
    held = with_environment(TracingRule(), "sidelight", environ)

    assert value == getattr(held.rule, key)
    assert {} == held.ignored


def test_a_key_that_is_given_wins() -> None:
    rule = TracingRule(sample=1.0, timeout="1s", resource={"a": "settings"})
    environ = {
        "OTEL_TRACES_SAMPLER": "always_off",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "9",
        "OTEL_RESOURCE_ATTRIBUTES": "a=variable,b=c",
    }
    held = with_environment(rule, "sidelight", environ).rule

    assert (1.0, 1.0, {"a": "settings", "b": "c"}) == (held.sample, held.timeout, held.resource)


def test_a_key_of_another_certificate_does_not_hold() -> None:
    environ = {"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "/a", "OTEL_EXPORTER_OTLP_CLIENT_KEY": "/b"}
    held = with_environment(TracingRule(certificate="/us.pem"), "sidelight", environ)

    assert ("/us.pem", None) == (held.rule.certificate, held.rule.key)


def test_the_variable_for_traces_wins_over_that_for_all() -> None:
    environ = {
        "OTEL_EXPORTER_OTLP_HEADERS": "a=1",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "b=2%2C3",
    }
    held = with_environment(TracingRule(), "sidelight", environ).rule

    assert {"b": "2,3"} == {k: v.get_secret_value() for k, v in held.headers.items()}
    assert "2,3" not in repr(held)


def test_a_header_may_have_a_percent_sign_of_its_own() -> None:
    environ = {"OTEL_EXPORTER_OTLP_HEADERS": "key=100%,b=c%20d"}
    headers = with_environment(TracingRule(), "sidelight", environ).rule.headers

    assert {"key": "100%", "b": "c d"} == {k: v.get_secret_value() for k, v in headers.items()}


def test_one_for_traces_that_cannot_be_understood_leaves_that_for_all() -> None:
    environ = {
        "OTEL_EXPORTER_OTLP_TIMEOUT": "2000",
        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "soon",
        "OTEL_EXPORTER_OTLP_HEADERS": "a=1",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "nothing",
    }
    held = with_environment(TracingRule(), "sidelight", environ)

    assert (2.0, ["a"]) == (held.rule.timeout, list(held.rule.headers))
    assert {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"} == set(
        held.ignored
    )


def test_the_methods_that_are_known_are_those_that_are_named() -> None:
    environ = {"OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS": "GET, BREW"}
    named = with_environment(TracingRule(), "sidelight", environ)

    assert {"GET", "BREW"} == named.methods
    assert METHODS == with_environment(TracingRule(), "sidelight", {}).methods


@pytest.mark.parametrize("variable", NOT_HONOURED)
def test_a_variable_of_spans_that_does_not_hold_is_said_where_there_are_spans(variable) -> None:
    with_spans = with_environment(TracingRule(endpoint="http://c"), "us", {variable: "7"})
    without = with_environment(TracingRule(), "us", {variable: "7"})

    assert [{variable}, set()] == [set(with_spans.ignored), set(without.ignored)]


@pytest.mark.parametrize(
    ("given", "environ", "service"),
    [
        pytest.param({}, {}, "sidelight", id="ours"),
        pytest.param({}, {"OTEL_RESOURCE_ATTRIBUTES": "service.name=r"}, "r", id="resource"),
        pytest.param(
            {},
            {"OTEL_RESOURCE_ATTRIBUTES": "service.name=r", "OTEL_SERVICE_NAME": "n"},
            "n",
            id="name",
        ),
        pytest.param(
            {"resource": {"service.name": "s"}}, {"OTEL_SERVICE_NAME": "n"}, "s", id="settings"
        ),
    ],
)
def test_the_name_of_the_service(given, environ, service) -> None:
    held = with_environment(TracingRule(**given), "sidelight", environ)

    assert service == held.service
    assert "service.name" not in held.rule.resource


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
        ("OTEL_SDK_DISABLED", "yes"),
        ("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", "GET,"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "hush"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a b=hush"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "content-length=hush"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=hush%0d%0ab"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:hush@c"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=b,share=100%"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=b,c=%FF"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "-1"),
        ("OTEL_PROPAGATORS", "xray"),
        ("OTEL_PROPAGATORS", "none"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/us.key"),
    ],
)
def test_what_cannot_be_understood_is_said_and_left_out(variable: str, value: str) -> None:
    held = with_environment(TracingRule(endpoint="http://c"), "sidelight", {variable: value})
    alone = with_environment(TracingRule(), "sidelight", {variable: value})

    assert {variable} == set(alone.ignored)
    assert "hush" not in str(alone.ignored)
    assert held.rule.model_dump(exclude={"endpoint"}) == TracingRule().model_dump(
        exclude={"endpoint"}
    )


def test_a_share_that_is_none_is_said() -> None:
    environ = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "2"}
    held = with_environment(TracingRule(), "sidelight", environ)

    assert {"OTEL_TRACES_SAMPLER_ARG": "must be a number from 0 to 1"} == held.ignored
    assert 1.0 == held.rule.sample
