"""The limits of a route on its page."""

from proxy.admin.pages.limits import limits_of

RATE = {"route": "chat", "policy": "per-user", "rate": "100/1m", "burst": 60, "by": "user_id",
        "allowed": 295, "refused": 3, "limited_now": [],
        "refused_most": [{"client": "<b>u-7", "refused": 3}]}  # fmt: skip
PLACES = {"scope": "chat", "limit": 20, "per_client": 2, "by": "address", "in_use": 4, "waiting": 1}


def test_a_route_without_limits_has_no_table() -> None:
    assert limits_of({"rate_limits": [RATE]}, "other") is None


def test_each_limit_says_what_it_decided_and_its_numbers_stand_on_the_right() -> None:
    page = limits_of({"rate_limits": [RATE], "concurrency": [PLACES]}, "chat") or ""

    assert "20 in all, 2 a client, by address: 4 under way, 1 waiting" in page
    assert '<td data-label="Let in" class="number"><div>295</div>' in page
    assert "&lt;b&gt;u-7" in page
