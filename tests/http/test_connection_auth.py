"""Authentication that a connection remembers."""

import pytest

from proxy.http.connection_auth import stays_with_connection


@pytest.mark.parametrize(
    ("value", "stays"),
    [
        pytest.param(b"NTLM TlRMTVNTUAAB", True, id="NTLM"),
        pytest.param(b"negotiate YII=", True, id="Negotiate, in any case"),
        pytest.param(b"Negotiate, Basic realm=x", True, id="one of several"),
        pytest.param(b"Basic realm=x, NTLM", True, id="the last of several"),
        pytest.param(b"Bearer ntlm", False, id="a token of another scheme"),
        pytest.param(b"Basic bnRsbTp4", False, id="Basic"),
        pytest.param(b"", False, id="none"),
    ],
)
def test_which_schemes_stay_with_the_connection(value, stays):
    assert stays_with_connection(value) is stays
