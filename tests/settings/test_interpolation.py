"""`${VAR}` in values."""

import re

import pytest

from proxy.settings.interpolation import interpolated

ENV = {"HOST": "example.com", "EMPTY": "", "ODD": "${HOST}"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"),
        ("${HOST}", "example.com"),
        ("http://${HOST}:80/", "http://example.com:80/"),
        ("${HOST}${HOST}", "example.comexample.com"),
        ("${PORT:-8080}", "8080"),
        ("${HOST:-other}", "example.com"),
        pytest.param("${EMPTY:-full}", "full", id="an empty variable takes the default"),
        pytest.param("${EMPTY}", "", id="without a default it stays empty"),
        pytest.param("${PORT:-}", "", id="an empty default"),
        pytest.param("${URL:-http://a:1/-}", "http://a:1/-", id="a default with everything in it"),
        pytest.param("$${HOST}", "${HOST}", id="escaped"),
        pytest.param("${ODD}", "${HOST}", id="what is put in is not looked through"),
        pytest.param("$HOST $ 5$", "$HOST $ 5$", id="a lone dollar is itself"),
    ],
)
def test_a_reference_is_replaced(text, result):
    assert interpolated(text, ENV) == result


_FORM = "write ${VAR} or ${VAR:-default}, and $${ where ${ itself is meant"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "${NOPE}",
            "the variable NOPE is not set; set it, or give a default: ${NOPE:-...}",
        ),
        ("${}", f'"${{}}" is not a variable; {_FORM}'),
        ("${A B}", f'"${{A B}}" is not a variable; {_FORM}'),
        ("${HOST", f'"${{HOST" is not a variable; {_FORM}'),
        ("${HOST:?must}", f'"${{HOST:?must}}" is not a variable; {_FORM}'),
    ],
)
def test_a_bad_reference_is_refused_with_the_remedy(text, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        interpolated(text, ENV)
