"""The API, one room after the other."""

import pytest

from proxy.diagnostics.stories.query import Query
from proxy.observation.reload_report import ReloadReport

JSON = {"Content-Type": "application/json"}


async def post(admin, path: str, body: str = "") -> tuple[int, dict]:
    answer = await admin.post(path, data=body, headers=JSON)
    return answer.status, await answer.json()


async def get(admin, path: str) -> tuple[int, dict]:
    answer = await admin.get(path)
    return answer.status, await answer.json()


async def test_requests_are_listed_as_asked_for(admin, sources) -> None:
    status, told = await get(admin, "/api/requests?code=stream_stalled&field.user_id=u-7&limit=5")

    assert (200, "ok", ["req-1"]) == (
        status,
        told["store"],
        [r["request_id"] for r in told["requests"]],
    )
    assert [
        Query(code="stream_stalled", fields={"user_id": "u-7"}, limit=5)
    ] == sources.diagnostics.asked


async def test_a_wrong_parameter_is_400_with_name_value_and_expectation(admin, sources) -> None:
    status, told = await get(admin, "/api/requests?limit=many")

    assert (400, "bad_request") == (status, told["error"])
    assert [
        {"parameter": "limit", "value": "many", "expected": "a whole number from 1 to 1000"}
    ] == told["faults"]
    assert [] == sources.diagnostics.asked


async def test_a_story_is_found_by_its_id(admin, stalled) -> None:
    assert (200, {"stories": [stalled], "store": "ok"}) == await get(admin, "/api/requests/req-1")


async def test_a_store_that_cannot_be_read_is_said(admin, sources) -> None:
    sources.diagnostics.store = "failing"

    assert "failing" == (await get(admin, "/api/requests/req-1"))[1]["store"]


async def test_errors_come_in_groups_with_a_summary(admin) -> None:
    _, told = await get(admin, "/api/errors")

    assert ["0123456789ab"] == [group["fingerprint"] for group in told["groups"]]
    assert 5 == told["summary"]["last_24h"]["error"]
    assert "stream_stalled" == (await get(admin, "/api/errors/0123456789ab"))[1]["code"]


async def test_alerts_are_listed(admin) -> None:
    assert ["stalls"] == [a["rule"] for a in (await get(admin, "/api/alerts"))[1]["alerts"]]


@pytest.mark.parametrize(
    ("body", "is_silent"), [("", True), ('{"for": "30m"}', True), ('{"for": "0s"}', False)]
)
async def test_an_alert_is_silenced_for_a_while_or_no_longer(
    admin, sources, body, is_silent
) -> None:
    status, told = await post(admin, "/api/alerts/stalls/silence", body)

    assert (200, "stalls") == (status, told["rule"])
    assert is_silent == (told["silenced_until"] is not None)
    assert is_silent == (sources.diagnostics.asked[0][1] > 0)


@pytest.mark.parametrize("body", ["[]", "{", '{"for": "soon"}'])
async def test_a_silence_that_cannot_be_understood_is_400(admin, sources, body: str) -> None:
    status, told = await post(admin, "/api/alerts/stalls/silence", body)

    assert (400, "bad_request") == (status, told["error"])
    assert [] == sources.diagnostics.asked


async def test_a_test_alert_says_how_each_receiver_took_it(admin, sources) -> None:
    sources.diagnostics.receivers = [{"receiver": "hooks.example", "result": "sent", "detail": ""}]

    assert (200, {"results": sources.diagnostics.receivers}) == await post(
        admin, "/api/alerts/test"
    )


async def test_circuits_are_listed(admin) -> None:
    assert ["open"] == [b["state"] for b in (await get(admin, "/api/breakers"))[1]["breakers"]]


@pytest.mark.parametrize("order", ["open", "close", "reset"])
async def test_a_circuit_is_told_what_to_do_and_shown_after_it(admin, sources, order: str) -> None:
    status, told = await post(admin, f"/api/breakers/chat/{order}")

    assert (200, "chat") == (status, told["route"])
    assert [("chat", order)] == sources.orders


@pytest.mark.parametrize(
    ("reason", "status"), [("route_not_found", 404), ("breaker_disabled", 409)]
)
async def test_an_order_that_cannot_be_obeyed_is_refused(admin, sources, reason, status) -> None:
    sources.refusal = reason

    assert (status, reason) == ((r := await post(admin, "/api/breakers/x/open"))[0], r[1]["error"])


async def test_a_form_of_a_foreign_page_changes_nothing(admin, sources) -> None:
    for path in ("/api/breakers/chat/open", "/drain", "/api/alerts/stalls/silence"):
        answer = await admin.post(path, data={"for": "1h"})
        assert (415, "json_required") == (answer.status, (await answer.json())["error"])

    assert ([], False, []) == (sources.orders, sources.drains, sources.diagnostics.asked)


async def test_a_code_comes_with_its_runbook(admin) -> None:
    _, told = await get(admin, "/api/codes/stream_stalled")

    assert told["runbook"]["cause"]
    assert told["runbook"]["checks"]
    assert told["runbook"]["fixes"]


async def test_routes_and_live_are_shown(admin) -> None:
    assert ["chat"] == [r["name"] for r in (await get(admin, "/api/routes"))[1]["routes"]]
    assert 4 == (await get(admin, "/api/live"))[1]["in_flight"]


async def test_a_drain_is_begun_once(admin, sources) -> None:
    assert (200, {"draining": False, "running": 4}) == await get(admin, "/drain")
    assert (202, {"draining": True, "running": 4}) == await post(admin, "/drain")
    sources.can_drain = False

    assert 409 == (await post(admin, "/drain"))[0]


@pytest.mark.parametrize("path", ["/api/requests/nope", "/api/errors/nope", "/api/codes/nope"])
async def test_what_is_not_there_is_404(admin, path: str) -> None:
    assert 404 == (await get(admin, path))[0]


async def test_a_rule_that_is_not_there_is_404(admin) -> None:
    assert 404 == (await post(admin, "/api/alerts/nope/silence"))[0]


async def test_a_reload_says_what_changed(admin, sources) -> None:
    assert (404, "not_reloaded") == ((r := await get(admin, "/reload"))[0], r[1]["error"])
    status, told = await post(admin, "/reload")

    assert (200, "loaded", ["POST /reload"]) == (status, told["result"], sources.reloads)
    assert (200, told) == await get(admin, "/reload")


@pytest.mark.parametrize(
    ("report", "status", "error"),
    [
        (ReloadReport("rejected", "x", "c0ffee", faults=("all",)), 422, "config_rejected"),
        (ReloadReport("refused", "x", "c0ffee", reason="draining"), 409, "reload_refused"),
    ],
)
async def test_a_reload_that_changes_nothing_says_why(
    admin, sources, report, status, error
) -> None:
    sources.report = report
    given, told = await post(admin, "/reload")

    assert (status, error, report.result) == (given, told["error"], told["result"])
    assert (list(report.faults), report.reason) == (told["faults"], told["reason"])


@pytest.mark.parametrize("order", ["mute", "unmute", "resolve"])
async def test_a_group_of_errors_takes_orders(admin, sources, order) -> None:
    status, body = await post(admin, f"/api/errors/0123456789ab/{order}")

    assert (status, body["fingerprint"]) == (200, "0123456789ab")
    assert sources.diagnostics.asked == [("0123456789ab", order)]
    assert 404 == (await post(admin, f"/api/errors/nope/{order}"))[0]
