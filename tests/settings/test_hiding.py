"""A message about wrong settings never shows what is secret in them."""

import pytest

from proxy.cli import main
from proxy.settings.faults import SettingsError
from proxy.settings.load import load, parse

GOOD = """
upstreams: { a: { endpoints: ['http://a:1'] } }
routes: [{ name: r, match: {}, upstream: a }]
"""
HOOK = "https://hooks.example/services/T0/CANARY"


def refusal(text: str = GOOD, **env: str) -> str:
    with pytest.raises(SettingsError) as refused:
        parse(text, {f"SIDELIGHT_{name}": value for name, value in env.items()}, "x")
    return str(refused.value)


@pytest.mark.parametrize(
    "hooks",
    [
        HOOK,
        f"[{{ url: {HOOK}",
        f"[{{ url: {HOOK}, format: slak }}]",
        f"[{{ ulr: {HOOK} }}]",
        f"[{HOOK}]",
        f"{{ url: {HOOK} }}",
        f"[{{ url: [{HOOK}] }}]",
        f"[{{ url: {{ a: {HOOK} }} }}]",
        "[{ url: ftp://h/CANARY }]",
        "[{ url: 'http://h:CANARY' }]",
        "[{ url: http://h, secret: [CANARY] }]",
        "[{ url: *CANARY }]",
        "[{ url: !CANARY x }]",
        "CANARY,,{",
        "[{ url: http://h, secret: 'CANARY }]",
        '[{ url: "CANARY\\q" }]',
    ],
)
def test_a_webhook_is_not_shown(hooks: str) -> None:
    assert "CANARY" not in refusal(ALERTS__WEBHOOKS=hooks)


@pytest.mark.parametrize(
    "alerts", [f"[{HOOK}]", HOOK, f"{{ webhooks: {HOOK} }}", f"{{ webhooks: [{{ url: {HOOK} }}"]
)
def test_nor_is_what_it_stands_in(alerts: str) -> None:
    assert "CANARY" not in refusal(ALERTS=alerts)


@pytest.mark.parametrize(
    "line",
    [
        "admin: { token: CANARY }",
        "admin: { token: [CANARY] }",
        "admin: { token: *CANARY }",
        "admin: { token: !CANARY x }",
        "admin: { token: &CANARY x, port: &CANARY y }",
        'admin: { token: "${CANARY" }',
        "admin: CANARY",
        "admin: { tokn: CANARY }",
        "observe: { hash_key: CANARY }",
        "observe: { hash_key: { a: CANARY } }",
        "admin: { port: 'sk-CANARY1234' }",
        "alerts: { runbooks: ['http://u:CANARY@h'] }",
        "admin: { host: '', port: 'http://h/?token=CANARY' }",
    ],
)
def test_no_secret_of_a_file_is_shown(line: str) -> None:
    assert "CANARY" not in refusal(GOOD + line)


@pytest.mark.parametrize(
    "url",
    [
        "http://user:CANARY@host", "user:CANARY@host", "http://CANARY@host", "http://u:C@CANARY@h",
        "http://u:CANARY/x@host:8000", "http://u:CANARY w@host", "http:/u:CANARY@host",
        "http://u:p\"CANARY@host", "http://u:p'CANARY@host", "http://u:CANARY,w@host",
        "http://u:80CANARY,w@host", "http://h/?api_key=CANARY", "http://user%3ACANARY%40host",
    ],
)  # fmt: skip
def test_userinfo_is_not_shown(url: str, capsys) -> None:
    assert "CANARY" not in refusal(UPSTREAMS__A__ENDPOINTS=url)
    assert "CANARY" not in refusal(CORS__ORIGINS=f"{url},")
    with pytest.raises(SettingsError) as refused:
        load(None, {}, url)
    assert "CANARY" not in str(refused.value)
    assert 2 == main(["run", "--upstream", url])
    with pytest.raises(SystemExit):
        main(["run", "--upstrem=http://user:CANARY@host"])

    assert "CANARY" not in capsys.readouterr().err


def test_what_is_no_secret_is_shown_as_before() -> None:
    assert "'http://h:80?x' is not an endpoint" in refusal(UPSTREAMS__A__ENDPOINTS="http://h:80?x")
    assert '"htp" is not a whole number' in refusal(LISTEN__PORT="htp")
    assert '"slak" is not one of json, slack' in refusal(
        ALERTS__WEBHOOKS=f"[{{ url: {HOOK}, format: slak }}]"
    )


@pytest.mark.parametrize("url", ["127.0.0.1:80", "http://user:CANARY@host:80"])
def test_what_to_write_instead_is_shown_whole(url: str) -> None:
    said = refusal(UPSTREAMS__A__ENDPOINTS=url)

    assert 'write "http://host:8080" or "https://host:8443", with the path below which' in said


def test_the_host_behind_userinfo_is_shown() -> None:
    said = refusal(UPSTREAMS__A__ENDPOINTS="http://user:CANARY@host:80")

    assert "'[redacted]@host:80' is not an endpoint" in said
