"""Header rules: what stops, what is put behind the rest, and what our own answers have of it."""

from proxy.exchange import Exchange
from proxy.http.header_changes import VALUES, HeaderChange
from proxy.http.header_names import value_parts


def exchange(route: str | None = "chat") -> Exchange:
    x = Exchange(0.0, 0.0, "GET", "/", "203.0.113.9")
    x.request_id = "id-1"
    if route:
        x.route = route
    return x


def lines(*fields: tuple[str, str]) -> HeaderChange:
    return HeaderChange((), [(name, value_parts(value)) for name, value in fields])


def test_values_of_the_request_are_filled_in():
    change = lines(("X-A", "${client_ip} ${request_id};${route}"), ("X-B", "b"))

    assert b"X-A: 203.0.113.9 id-1;chat\r\nX-B: b\r\n" == change.lines.of(exchange())


def test_every_value_is_text_without_a_route_as_well():
    change = lines(*((f"X-{name}", "${" + name + "}") for name in VALUES))

    assert b"X-route: \r\n" in change.lines.of(exchange(route=None))


def test_what_is_escaped_is_no_value():
    assert b"X-A: ${route}\r\n" == lines(("X-A", "$${route}")).lines.of(exchange())


def test_text_beyond_ascii_is_utf_8():
    assert "X-A: ü\r\n".encode() == lines(("X-A", "ü")).lines.of(exchange())


def test_names_stop_in_every_spelling():
    assert frozenset({b"x-api-key"}) == HeaderChange(["X_Api-KEY"], []).stops


def test_answers_of_ours_speak_of_their_own_content():
    change = lines(("Cache-Control", "public"), ("Content-Type", "text/plain"), ("X-A", "a"))

    assert b"X-A: a\r\n" == change.own_lines.of(exchange())
