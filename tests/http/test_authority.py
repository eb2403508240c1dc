"""How the hosts of requests are compared."""

import pytest

from proxy.http.authority import host_name


@pytest.mark.parametrize(
    ("host", "name"),
    [
        pytest.param("There", "there", id="in lower case"),
        pytest.param("there:80", "there", id="without port"),
        pytest.param("there:", "there", id="without an empty port"),
        pytest.param("there.", "there", id="without the dot of the root"),
        pytest.param("there.:80", "there", id="without either"),
        pytest.param("[2001:DB8::1]", "[2001:db8::1]", id="IPv6"),
        pytest.param("[2001:db8::1]:80", "[2001:db8::1]", id="IPv6 without port"),
        pytest.param("2001:db8::1", "2001:db8::1", id="IPv6 without brackets"),
        pytest.param("", "", id="none"),
    ],
)
def test_how_hosts_are_compared(host: str, name: str) -> None:
    assert name == host_name(host)
