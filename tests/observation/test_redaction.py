"""What a secret looks like, and that it never survives."""

import gc
import re
import sys
from collections.abc import Callable, Iterator
from re import _parser  # type: ignore[attr-defined]
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.observation import redaction
from proxy.observation.redaction import (
    MARGIN,
    MOST_ENCODED,
    REDACTED,
    is_secret_name,
    redact,
    redact_named,
    redact_target,
    redact_tree,
)
from proxy.observation.secret_forms import (
    NAMED,
    NAMED_TO_END,
    SECRET_NAME,
    SHAPE,
    SHAPES,
    STEMS,
    WHOLE,
    WORDS,
    SecretShape,
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


@pytest.mark.parametrize(
    ("text", "recorded"),
    [
        ('/x?p={"a":1,"token":"CANARY"}', '/x?p={"a":1,"token":[redacted]}'),
        ('/x?p={"token":"a&CANARY"}&b=1', '/x?p={"token":[redacted]}&b=1'),
        ('{"token" : "a CANARY", "b": 1}', '{"token" : [redacted], "b": 1}'),
        ('{"n": {"pwd": 12345}}', '{"n": {"pwd": [redacted]'),
        ("/x?p=%7B%22code%22%3A%22CANARY%22%7D&b=1", '/x?p={"code":[redacted]&b=1'),
        (r'{"t":"{\"token\":\"CANARY\"}"}', r'{"t":"{\"token\":[redacted]}'),
        ("{'token': 'CANARY'}", "{'token': [redacted]"),
        ('{"author":"me"}', '{"author":"me"}'),
    ],
    ids=["raw", "an &", "blanks", "a number", "encoded", "JSON in JSON", "of Python", "innocent"],
)
def test_a_secret_within_json_is_not_recorded(text: str, recorded: str) -> None:
    assert recorded == redact(text, 1000)


@pytest.mark.parametrize("encoded", [0, 1, 2])
@pytest.mark.parametrize(
    "name", [*STEMS, *WORDS, *WHOLE, "PHPSESSID", "JSESSIONID", "SAMLResponse"]
)
def test_each_name_of_the_table_hides_its_value(name: str, encoded: int) -> None:
    for pair in (f"{name}={CANARY}", f"a[{name.title()}]={CANARY}", f'{{"{name}":"{CANARY}"}}'):
        if name not in WHOLE or "[" not in pair:
            for _ in range(encoded):
                pair = quote(pair, safe="")

            assert CANARY not in redact_target(f"/x?a=1&{pair}&b=1")


def sample(shape: SecretShape, start: str) -> str:
    """A secret of this shape, the shortest there is."""
    allowed = re.compile(shape.rest)
    letters = [char for char in "7f3a9C0dEeA1bB2cD4w-_" if allowed.fullmatch(char)]
    return start + ("".join(letters) * shape.least)[: shape.least]


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param(sample(shape, start), id=f"{name}:{start}")
        for name, shape in SHAPES.items()
        for start in shape.starts
    ],
)
def test_each_shape_of_the_table_is_hidden_wherever_it_stands(secret: str) -> None:
    """In a path, a query, JSON, a sentence, a list of subprotocols, encoded, and cut off."""
    inside = (
        f"/a/{secret}/b", f"/?q={secret}&b=1", f'{{"a":"{secret}"}}', f"tool ({secret})",
        f"chat, {secret}", quote(f"/a?b={secret}", safe=""), f"/{'a/' * 1000}{secret}",
    )  # fmt: skip
    for text in inside:
        assert secret not in redact_target(text)


def test_a_word_that_only_looks_like_the_beginning_of_one_is_kept() -> None:
    innocent = "/task-force-seven/hf_models/xai-news/npm_run/fw_1/GET_AC/shelf_abcdefghijklmnopq"

    assert innocent == redact_target(innocent)


@pytest.mark.parametrize(
    "text",
    ["base64url.bearer.authorization.k8s.io.CANARY", "bearer, CANARY", "chat, access_token=CANARY"],
)
def test_a_secret_in_a_subprotocol_is_not_recorded(text: str) -> None:
    assert "CANARY" not in redact(text)


def test_beyond_so_many_encoded_parameters_none_is_recorded() -> None:
    few, many = ("&".join(["a=%41"] * n + ["%74oken=CANARY"]) for n in (3, MOST_ENCODED + 3))

    assert "a=%41&a=%41&a=%41&token=[redacted]" == redact_target(few)
    assert redact_target(many).startswith("a=%41&")
    assert redact_target(many).endswith("&[redacted]" * 4)


PATTERNS = [SHAPE, NAMED, NAMED_TO_END, SECRET_NAME]


@pytest.mark.parametrize("pattern", PATTERNS, ids=range(len(PATTERNS)))
def test_no_pattern_looks_at_a_text_again_and_again(pattern: re.Pattern[str]) -> None:
    """What repeats without bound gives nothing back, or has nothing behind it that could fail."""
    parsed = _parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE)

    assert [] == list(givers(list(parsed), is_last=True))


def test_a_pattern_that_gives_back_is_noticed() -> None:
    assert list(givers(list(_parser.parse("a(?:b*c|d)")), is_last=True))


def givers(items: list[tuple[object, object]], *, is_last: bool) -> Iterator[object]:
    """Repetitions that might be tried with less."""
    for at, (kind, inner) in enumerate(items):
        ends = is_last and at == len(items) - 1
        is_greedy = str(kind) in ("MAX_REPEAT", "MIN_REPEAT")
        if is_greedy and inner[1] is _parser.MAXREPEAT and not ends:
            yield inner
        parts = inner if isinstance(inner, tuple | list) else ()
        for part in parts:
            for branch in part if isinstance(part, list) else [part]:
                if isinstance(branch, _parser.SubPattern):
                    yield from givers(list(branch), is_last=ends and "REPEAT" not in str(kind))


HOSTILE = [
    "&==%2525", "token", "=", "token=", "a/", "%25", "//", "bearer ", "eyJ", "sk-", "basic+",
    "a" * 99, "%41&", "&%2541=", '"', "\\", "' :", "%26%3D", "//@", "AKIA", "a@", "{%22key", " ",
]  # fmt: skip

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
def test_a_text_with_a_secret_stays_redacted_the_second_time(
    before: str, disguise: str, after: str
) -> None:
    """Texts without a secret are remembered."""
    text = f"{before} {disguise} {after}"

    assert redact(text, 10_000) == redact(text, 10_000)
    assert CANARY not in redact(text, 10_000)


def test_what_is_remembered_is_cut_as_well() -> None:
    assert ["a" * 250, "a" * 250, "a" * 32] == [redact("a" * 250, n) for n in (250, 256, 32)]


def test_what_is_remembered_is_bounded() -> None:
    for n in range(3000):
        redact(f"/path/{n}")
    redact("b" * 5000, 5000)

    assert len(redaction._clean) <= 1024
    assert all(len(text) <= 256 for text in redaction._clean)


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
    for before in range(MARGIN - 40, MARGIN + 20):
        text = f"{'%2525252525a' * MARGIN}"[:before] + f"/sk-{CANARY}" + "a" * MARGIN

        assert CANARY[:3] not in redact(text, 10)


@pytest.mark.parametrize("before", [0, 5, 40])
def test_userinfo_without_an_end_is_not_recorded(before: int) -> None:
    """The cut may have taken the @ away that would have told."""
    text = f"{'b' * before} http://user:{CANARY}{'a' * 999}@host"

    assert CANARY not in redact(text, 50)
    assert CANARY not in redact(text.replace("//", "%2F%2F"), 50)


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


@pytest.mark.parametrize("limit", [128, 2048])
@pytest.mark.parametrize("piece", HOSTILE)
def test_what_is_longer_costs_no_more(piece: str, limit: int) -> None:
    """It is cut before it is looked at."""
    redact(piece, limit)  # what is made once is there
    short, long = ((piece * size)[:size] for size in (limit + MARGIN + 1, 200_000))

    assert steps(lambda: redact(short, limit)) == steps(lambda: redact(long, limit))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=4), st.sampled_from([128, 2048]))
@example(["&==%2525"], 2048)
def test_hostile_input_costs_a_bounded_number_of_steps(pieces: list[str], limit: int) -> None:
    text = "".join(pieces) * limit

    assert steps(lambda: redact(text, limit)) < 25 * (limit + MARGIN)


def steps(call: Callable[[], object]) -> int:
    """How often a function is called meanwhile, whether of Python or of C."""
    count = 0

    def note(_frame: object, event: str, _arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    gc.disable()  # what others have called at a collection is none of ours
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(before)
        gc.enable()
    return count


def test_records_share_one_text_that_repeats() -> None:
    first, second = (redaction.redact("".join(["Mozilla/5.0 ", "(X11)"])) for _ in range(2))

    assert first is second
