"""Settings from a file, from one upstream, from the environment."""

import os

import pytest

from proxy.settings.faults import SettingsError
from proxy.settings.load import LARGEST, from_upstream, load, parse

FILE = """
upstreams: { a: { endpoints: ["${URL:-http://a:1}"] } }
routes: [{ name: r, match: { path: / }, upstream: a }]
"""


def refusal(*arguments):
    with pytest.raises(SettingsError) as refused:
        load(*arguments)
    return str(refused.value)


def test_a_file_is_read_with_its_variables(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text(FILE)

    settings = load(file, {"URL": "http://b:1", "SIDELIGHT_SERVICE": "mine"})

    assert settings.upstreams["a"].endpoints == ("http://b:1",)
    assert settings.service == "mine"


def test_a_byte_order_mark_is_left_out(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + FILE.encode())

    assert load(file, {}) == parse(FILE)


def test_an_upstream_needs_no_file():
    settings = load(None, {}, "http://127.0.0.1:8000")
    [route] = settings.routes

    assert settings.upstreams["upstream"].endpoints == ("http://127.0.0.1:8000",)
    assert (route.name, route.upstream, route.policy) == ("all", "upstream", "default")
    assert (route.match.host, route.match.path, route.match.methods) == (None, "/", ())
    assert settings == from_upstream("http://127.0.0.1:8000")


def test_an_upstream_may_be_written_with_a_slash_at_its_end():
    assert load(None, {}, "http://a:1/") == load(None, {}, "http://a:1")


def test_the_environment_lies_over_an_upstream_too():
    settings = load(None, {"SIDELIGHT_ROUTES__ALL__TIMEOUTS__HEAD": "9s"}, "http://a:1")

    assert settings.routes[0].timeouts.head == 9


def test_an_url_is_taken_as_it_is():
    assert "--upstream: upstreams.upstream.endpoints[0]:" in refusal(None, {}, "${URL}")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "is empty; it needs at least upstreams and routes", id="empty"),
        pytest.param(b"a: \xff", "is not UTF-8 text: byte 4", id="latin-1"),
        pytest.param(b"\x7fELF\x02\x80", "is not UTF-8 text: byte 6", id="binary"),
        pytest.param(
            b"#" * (LARGEST + 1), "is larger than 256KiB; this is no settings file", id="large"
        ),
    ],
)
def test_what_is_no_settings_file_is_said_so(tmp_path, data, message):
    file = tmp_path / "a.yaml"
    file.write_bytes(data)

    assert refusal(file, {}) == f"{file}: {message}"


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    file = tmp_path / "a.yaml"

    assert refusal(file, {}) == f"{file}: cannot be read: No such file or directory"
    assert refusal(tmp_path, {}) == f"{tmp_path}: cannot be read: Is a directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_said_so(tmp_path):
    file = tmp_path / "a.yaml"
    file.touch(mode=0)

    assert refusal(file, {}) == f"{file}: cannot be read: Permission denied"


def test_a_file_and_an_upstream_are_one_too_many(tmp_path):
    file = tmp_path / "a.yaml"

    assert (
        refusal(file, {}, "http://a:1") == f"{file}: give a settings file or --upstream, not both"
    )


def test_nothing_at_all_is_said_so():
    message = "settings: there are none; give a file, or one upstream by --upstream URL"

    assert refusal(None, {"SIDELIGHT_PORT": "tcp://a:1"}) == message


def test_warnings_of_every_kind_are_kept(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text(FILE.replace("path: / ", "path: /, methods: [PSOT] "))
    ignored, doubt = load(file, {"SIDELIGHT_PORT": "tcp://a:1"}).warnings

    assert ignored.startswith("ignored")
    assert "PSOT" in doubt


def test_faults_of_every_kind_are_said_at_once():
    text = """
listen: { prot: 1 }
log: { level: loud }
upstreams: { a: { endpoints: ["${NO}"] } }
routes: [{ name: r, match: { path: / }, upstream: b, retry: { attempts: x } }]
"""

    with pytest.raises(SettingsError) as refused:
        parse(text, {"SIDELIGHT_DRAIN__LIMIT": "long", "SIDELIGHT_DRAIN__X": "1"}, "x")
    places = [str(fault.place) for fault in refused.value.faults]

    assert places == [
        "x:2:11",
        "x:3:15",
        "x:4:31",
        "x:5:51",
        "x:5:73",
        "env SIDELIGHT_DRAIN__LIMIT",
        "env SIDELIGHT_DRAIN__X",
    ]


def test_hashes_that_change_with_every_start_are_a_warning():
    hashed = {"SIDELIGHT_OBSERVE__FIELDS__USER": "{ header: X-User, hash: true }"}
    key = {"SIDELIGHT_OBSERVE__HASH_KEY": "k" * 16}
    store = {"SIDELIGHT_STORE__PATH": "s.db"}

    assert [1, 0, 0, 0] == [
        len(parse(FILE, env).warnings) for env in (hashed, hashed | key, hashed | store, {})
    ]
    assert parse(FILE, hashed).warnings[0].startswith("observe.hash_key is not set")
