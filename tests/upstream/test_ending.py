"""Who is to blame for a connection that ends before the head of a response."""

import pytest

from proxy import outcome as o
from proxy.upstream.ending import GAVE_UP, Ending, retried_as

USUAL = {
    "arrival": "acknowledged",
    "in_order": True,
    "silence": 0.0,
    "has_idled": True,
    "has_unsent": False,
    "is_uploading": False,
    "is_behind": False,
}
NEW = {"has_idled": False}
UPLOAD = {"is_uploading": True}


@pytest.mark.parametrize(
    ("unusual", "outcome"),
    [
        pytest.param({}, o.UPSTREAM_RESET, id="it had the request"),
        pytest.param({"arrival": "unsent"}, o.STALE_CONNECTION, id="nothing left us"),
        pytest.param({"arrival": "unacknowledged"}, o.STALE_CONNECTION, id="nothing arrived"),
        pytest.param(
            {"arrival": "unacknowledged", "in_order": False},
            o.STALE_CONNECTION,
            id="nothing is known to have arrived",
        ),
        pytest.param({"arrival": None}, o.STALE_CONNECTION, id="unknown, and at once"),
        pytest.param({"arrival": None, "silence": 1.1}, o.UPSTREAM_RESET, id="unknown, and late"),
        pytest.param({"silence": 60.0}, o.UPSTREAM_RESET, id="it had the request for long"),
        pytest.param(NEW | {"arrival": "unacknowledged"}, o.UPSTREAM_RESET, id="new, not idle"),
        pytest.param(UPLOAD, o.UPSTREAM_WRITE_FAILED, id="while the client sends"),
        pytest.param(UPLOAD | {"silence": 0.2}, o.REQUEST_TIMEOUT, id="the client owes its body"),
        pytest.param(
            UPLOAD | {"silence": 0.2, "is_behind": True},
            o.UPSTREAM_WRITE_FAILED,
            id="the upstream has not read what the client sent",
        ),
        pytest.param({"has_unsent": True}, o.UPSTREAM_WRITE_FAILED, id="while we send"),
        pytest.param(
            UPLOAD | {"arrival": "unacknowledged"}, o.STALE_CONNECTION, id="an upload to nobody"
        ),
    ],
)
def test_who_is_to_blame(unusual, outcome):
    assert outcome is Ending(**USUAL | unusual).outcome


@pytest.mark.parametrize(
    ("arrival", "in_order", "is_unread"),
    [
        pytest.param("unsent", True, True, id="nothing left us, and it closed"),
        pytest.param("unsent", False, True, id="nothing left us, and it broke"),
        pytest.param("unacknowledged", True, True, id="an end acknowledges what arrived"),
        pytest.param("unacknowledged", False, False, id="a reset acknowledges nothing"),
        pytest.param("acknowledged", True, False, id="it arrived"),
        pytest.param(None, True, False, id="nobody knows"),
    ],
)
def test_what_is_proven_to_be_unread(arrival, in_order, is_unread):
    assert Ending(**USUAL | {"arrival": arrival, "in_order": in_order}).is_unread is is_unread


@pytest.mark.parametrize(
    ("outcome", "detail", "tried_as"),
    [
        pytest.param(o.REQUEST_TIMEOUT, GAVE_UP, o.UPSTREAM_WRITE_FAILED, id="not waited for"),
        pytest.param(o.REQUEST_TIMEOUT, "silent", o.REQUEST_TIMEOUT, id="the client's own silence"),
        pytest.param(o.UPSTREAM_RESET, None, o.UPSTREAM_RESET, id="any other"),
    ],
)
def test_what_did_not_wait_for_a_slow_client_is_tried_again_with_the_whole(
    outcome, detail, tried_as
):
    assert tried_as is retried_as(outcome, detail)
