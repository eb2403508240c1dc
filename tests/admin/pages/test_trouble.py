"""What is wrong at this moment stands on the first page."""

import pytest

from proxy.admin.pages.trouble import verdict
from proxy.observation.upstream_status import UpstreamHealth


@pytest.fixture
def told(sources):
    """The verdict, as HTML."""

    def make(errors=(), raised=(), **upstreams: UpstreamHealth) -> str:
        sources.upstreams, sources.circuits = upstreams, {}
        return str(verdict(sources.live(), list(raised), {"groups": list(errors)}, {}))

    return make


def test_nothing_wrong_is_said_to_be_well(told) -> None:
    assert "All is well" in told()
    assert "All is well" in told(raised=[{"silenced": True}])


def test_how_many_failed_is_told_where_it_is_known(told) -> None:
    assert "failed in a row" not in told(chat=UpstreamHealth("failing", "circuit is open"))
    assert "(3 failed in a row, since " in told(chat=UpstreamHealth("failing", "reset", 9.0, 3))


@pytest.mark.parametrize(
    ("unusual", "is_linked"),
    [
        pytest.param({}, True, id="an error of it"),
        pytest.param({"severity": "warning"}, False, id="nothing that broke"),
        pytest.param({"upstream": "other"}, False, id="an error of another"),
    ],
)
def test_an_upstream_that_fails_leads_to_its_latest_error(told, unusual, is_linked) -> None:
    group = {"upstream": "chat", "severity": "error", "code": "reset", "fingerprint": "f1"}
    html = told([group | unusual], chat=UpstreamHealth("failing", "reset"))

    assert is_linked is ("/errors/f1" in html)
