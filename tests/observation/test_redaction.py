"""What a secret looks like, and that it never survives."""

import time
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.observation.redaction import (
    REDACTED,
    is_clean,
    is_secret_name,
    redact,
    redact_agent,
    redact_named,
    redact_target,
    redact_tree,
)

CANARY = "CaNaRy0123456789"

SECRET_NAMES = [
    "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "X-Api-Key", "access_token",
    "client_secret", "password", "passwd", "X-Amz-Signature", "sessionid", "X-Session-Id", "sig",
    "auth", "x-auth", "jwt", "KEY",
]  # fmt: skip


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_name_that_speaks_of_a_secret_is_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["author", "design", "page", "X-User-Id", "limit", "q", "passage"])
def test_an_innocent_name_is_not_suspected(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("target", "recorded"),
    [
        pytest.param("/api/chat?limit=20&q=a+b", "/api/chat?limit=20&q=a+b", id="clean stays"),
        pytest.param("/a%20b?x=%2F", "/a%20b?x=%2F", id="encoding of the clean stays"),
        pytest.param("/x?token=abc&b=1", "/x?token=[redacted]&b=1", id="by name"),
        pytest.param("/x?b=1&Api_Key=a=b=c", "/x?b=1&Api_Key=[redacted]", id="with = in it"),
        pytest.param("/x?%74oken=abc", "/x?token=[redacted]", id="encoded name"),
        pytest.param("/x?%2574oken=abc", "/x?token=[redacted]", id="twice encoded name"),
        pytest.param("/x?t%6Fken=a%26bc&d=1", "/x?token=[redacted]&d=1", id="with an encoded &"),
        pytest.param("/x?token=a%26bc", "/x?token=[redacted]", id="an encoded & in its value"),
        pytest.param("/x?t%6Fken=a%20bc", "/x?token=[redacted]", id="with an encoded blank"),
        pytest.param("/x?t%256Fken=a%2526bc", "/x?token=[redacted]", id="twice, with an &"),
        pytest.param("/x?t%6Fken%3Da%26bc", "/x?token=[redacted]", id="all of it encoded"),
        pytest.param(
            f"/x?token_{'a' * 200}=b", f"/x?token_{'a' * 200}=[redacted]", id="a long name"
        ),
        pytest.param(
            "/x?to=%2Fcb%3Ftoken%3Dabc&b=1", "/x?to=/cb?token=[redacted]&b=1", id="nested"
        ),
        pytest.param("/x;session=abc/y", "/x;session=[redacted]", id="matrix parameter"),
        pytest.param("/t/sk-abcdefgh/x", "/t/[redacted]/x", id="sk- in the path"),
        pytest.param("/t%2Fsk-abcdefgh", "/t/[redacted]", id="sk- behind an encoded slash"),
        pytest.param("/task-force-seven", "/task-force-seven", id="task- is not sk-"),
        pytest.param("/eyJhbGciOi.eyJzdWIi.c2ln", "/[redacted]", id="JWT"),
        pytest.param("/a/Bearer%20abc", "/a/[redacted]", id="Bearer"),
        pytest.param("/a?q=bearer+abc", "/a?q=[redacted]", id="bearer and a plus"),
        pytest.param("/a?q=Basic%20dXNlcjpwYXNz", "/a?q=[redacted]", id="Basic"),
        pytest.param("http://u:p@h/x", "http://[redacted]@h/x", id="userinfo"),
        pytest.param("/?u=https%3A%2F%2Fu%3Ap%40h", "/?u=https://[redacted]@h", id="in a value"),
        pytest.param("/@user/repo", "/@user/repo", id="an @ alone is no userinfo"),
        pytest.param("/%" + "25" * 9 + "41", REDACTED, id="too deep to judge"),
    ],
)
def test_a_target_is_recorded_without_its_secrets(target: str, recorded: str) -> None:
    assert recorded == redact_target(target)


names = st.sampled_from(SECRET_NAMES)
noise = st.text(st.characters(codec="latin-1"), max_size=30)
parameters = st.lists(st.sampled_from(["a=1", "b=%2F", "c", "=", "token", "d=e=f"]), max_size=4)


@st.composite
def disguises(draw: st.DrawFn) -> str:
    """The canary as a value of a secret's name, a token shape or userinfo, perhaps encoded."""
    shape = draw(
        st.sampled_from(
            [
                f"{draw(names)}={CANARY}",
                f"Bearer {CANARY}",
                f"Basic {CANARY}",
                f"sk-{CANARY}",
                f"sk-proj-{CANARY}",
                f"eyJ{CANARY}.{CANARY}.{CANARY}",
                f"https://user:{CANARY}@example.com/",
                f"https://{CANARY}@example.com/",
            ]
        )
    )
    for _ in range(draw(st.integers(0, 3))):
        shape = quote(shape, safe="")
    return shape


@given(noise, parameters, disguises(), parameters, noise)
@example("", ["a=1"], "%73%6b-" + CANARY, ["b"], "")
def test_a_canary_never_survives(
    before: str, left: list[str], disguise: str, right: list[str], after: str
) -> None:
    path = quote(before, safe="/")
    target = f"/{path}?{'&'.join([*left, disguise, *right])}&z={quote(after)}"

    assert CANARY not in redact_target(target)
    assert CANARY not in redact_target(f"/{path}/{disguise}/{quote(after)}")


@given(noise, disguises(), noise)
def test_a_canary_never_survives_in_a_sentence(before: str, disguise: str, after: str) -> None:
    assert CANARY not in redact(f"{before} {disguise} {after}", 10_000)


@given(noise, disguises(), noise)
def test_a_text_with_a_secret_is_not_clean(before: str, disguise: str, after: str) -> None:
    assert not is_clean(f"{before} {disguise} {after}")


@given(st.text(max_size=50), st.text(max_size=50))
@example("/api/chat", "id-1")
def test_what_is_clean_together_is_recorded_as_it_is(one: str, other: str) -> None:
    if is_clean(f"{one} {other}"):
        assert (one, other) == (redact(one), redact(other))


def test_a_user_agent_is_recorded_like_any_text() -> None:
    """The same one a second time as well: they are remembered."""
    assert ["x [redacted]"] * 2 == [redact_agent(f"x sk-{CANARY}") for _ in range(2)]
    assert 256 == len(redact_agent("a" * 999))


@settings(max_examples=50)
@given(st.text(max_size=50), st.integers(1, 300))
def test_what_is_recorded_is_short_and_printable(text: str, limit: int) -> None:
    """Line ends of any alphabet, escapes and lone surrogates cannot reach a line of the log."""
    recorded = redact(text, limit)

    assert recorded.isprintable()
    assert len(recorded) <= limit
    recorded.encode()


def test_a_secret_is_not_halved_out_of_its_shape_by_the_cut() -> None:
    assert "/aaaa/[red" == redact("/aaaa/sk-" + CANARY, 10)


def test_the_value_of_a_secret_header_is_hidden_whatever_it_is() -> None:
    assert REDACTED == redact_named("X-Api-Key", "plain")
    assert "plain" == redact_named("X-User-Id", "plain")


def test_settings_are_shown_without_their_secrets() -> None:
    settings = {
        "admin": {"token": CANARY, "port": 8081},
        "retry": {"idempotency_key": False},
        "list": [{"password": CANARY}, f"http://u:{CANARY}@h"],
        "secrets": [CANARY],
        "none": None,
    }

    assert {
        "admin": {"token": REDACTED, "port": 8081},
        "retry": {"idempotency_key": False},
        "list": [{"password": REDACTED}, "http://[redacted]@h"],
        "secrets": [REDACTED],
        "none": None,
    } == redact_tree(settings)


@pytest.mark.parametrize(
    "piece",
    ["token", "=", "token=", "a/", "%25", "//", "bearer ", "eyJ", "sk-", "basic+", "a" * 99],
)
def test_hostile_input_costs_no_more_than_its_length(piece: str) -> None:
    """A quadratic pattern would take seconds here."""
    text = (piece * 16_000)[:16_000] + "=@%"
    began = time.process_time()
    redact(text)

    assert time.process_time() - began < 0.5
