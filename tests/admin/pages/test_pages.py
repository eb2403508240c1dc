"""The pages, as a browser gets them; nothing on them is ever anybody else's markup."""

from dataclasses import replace
from html.parser import HTMLParser
from typing import ClassVar

import pytest

from proxy.admin.guard import Guard
from proxy.admin.health import CircuitView
from proxy.diagnostics.stories.query import Query
from proxy.observation.upstream_status import UpstreamHealth
from proxy.resilience.permits import BreakerView
from tests.admin.conftest import STALLED

PAGES = ["/", "/live", "/requests", "/requests/req-1", "/errors", "/errors/0123456789ab",
         "/alerts", "/routes", "/runbooks/stream_stalled"]  # fmt: skip


class Page(HTMLParser):
    """Text, links and elements of a page; raises nothing, checks that tags are closed."""

    VOID: ClassVar = {"br", "hr", "input", "link", "meta"}

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.words = ""
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert tag == self.open.pop()

    def handle_data(self, data) -> None:
        self.words += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def links(self) -> list[str]:
        return [a["href"] for a in self.all("a")]


async def page(admin, path: str, status: int = 200) -> Page:
    answer = await admin.get(path, headers={"Accept": "text/html"}, allow_redirects=False)

    assert (status, "text/html") == (answer.status, answer.content_type)
    return Page(await answer.text())


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_well_formed_and_holds_nothing_inline(admin, path: str) -> None:
    told = await page(admin, path)

    assert [] == told.open
    assert [] == told.all("style")
    assert [] == [name for _, each in told.elements for name in each if name == "style"]
    assert [] == [name for _, each in told.elements for name in each if name.startswith("on")]
    assert ["/assets/page.js"] * (path != "/live") == [each["src"] for each in told.all("script")]
    ids = [each["id"] for _, each in told.elements if "id" in each]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/live"])
async def test_every_page_can_be_used_by_keyboard_and_ear(admin, path: str) -> None:
    told = await page(admin, path)

    assert "#content" == told.links[0], "the first stop leads past the tabs"
    assert 1 == len(told.all("h1"))
    assert ["en"] == [each["lang"] for each in told.all("html")]
    assert 1 == len([each for each in told.all("input") if each.get("id") == "search"])
    assert all("aria-label" in each for each in told.all("svg"))
    assert [] == [each for each in told.all("a") if not each.get("href")]


@pytest.mark.parametrize("path", PAGES)
async def test_whatever_a_client_chose_stays_text(admin, sources, make_hostile, path: str) -> None:
    desk = sources.diagnostics
    desk.known = [{**make_hostile(s), "request_id": "req-1"} for s in desk.known]
    desk.listed, desk.raised = make_hostile(desk.listed), make_hostile(desk.raised)
    desk.raised[0]["state"] = "raised"
    desk.groups = [{**make_hostile(g), "fingerprint": "0123456789ab"} for g in desk.groups]
    sources.routes_told = make_hostile(sources.routes_told)
    sources.circuits_told = make_hostile(sources.circuits_told)
    told = await page(admin, path)

    assert "<script>alert" not in told.html
    assert [] == told.open
    assert len(told.all("script")) == (path != "/live")


async def test_a_link_out_of_a_hostile_runbook_is_no_script(admin, sources) -> None:
    sources.diagnostics.raised[0]["runbook"] = "javascript:alert(1)"

    assert [] == [a for a in (await page(admin, "/alerts")).links if a.startswith("java")]


async def test_a_runbook_elsewhere_is_linked_there(admin, sources) -> None:
    sources.diagnostics.raised[0]["runbook"] = "https://wiki.example/stalls"

    assert "https://wiki.example/stalls" in (await page(admin, "/alerts")).links


class TestOverview:
    async def test_all_is_well(self, admin, sources) -> None:
        sources.diagnostics.raised = []

        assert "All is well" in (await page(admin, "/")).words

    async def test_what_is_wrong_is_said_at_the_top(self, admin, sources) -> None:
        sources.upstreams = {"model": UpstreamHealth("failing", "connect_refused", 9.0, 3)}
        sources.circuits = {"chat": CircuitView(BreakerView("half_open", 5, 0, 1.0, 0.0))}
        sources.diagnostics.store = "failing"
        words = (await page(admin, "/")).words

        for wrong in (
            "upstream model fails: connect_refused (3 failed in a row, since 2001-09-09T01:46:39",
            "circuit chat is half-open",
            "one alert is raised",
            "the store fails: disk full",
        ):
            assert wrong in words

    async def test_what_is_wrong_leads_to_what_it_is_about(self, admin, sources) -> None:
        sources.upstreams = {"model": UpstreamHealth("failing", "connect_refused", 9.0, 3)}
        sources.circuits = {"chat": CircuitView(BreakerView("open", 5, 0, 1.0, 0.0))}
        sources.diagnostics.store = "failing"
        html = (await page(admin, "/")).html
        trouble = Page(html.partition('class="verdict bad">')[2].partition("</ul>")[0] + "</ul>")

        assert [
            "/#upstream-model", "/errors/0123456789ab", "/routes#route-chat", "/alerts",
            "/runbooks/store_dropping",
        ] == trouble.links  # fmt: skip

    @pytest.mark.parametrize(
        "apart", [{"state": "muted"}, {"state": "resolved"}, {"severity": "info"}, {"last_24h": 0}]
    )
    async def test_errors_that_are_shown_apart_or_are_old_are_not_here(
        self, admin, sources, apart
    ) -> None:
        sources.diagnostics.raised = []
        sources.diagnostics.groups[0].update(apart)

        assert "/errors/0123456789ab" not in (await page(admin, "/")).links

    async def test_where_nothing_ended_there_is_no_duration(self, admin, sources) -> None:
        slots = [replace(slot, requests=0, p95=0.0) for slot in sources.live().slots]
        live = replace(sources.live(), slots=slots)
        sources.live = lambda: live

        assert "p95 duration— last minute" in (await page(admin, "/")).words

    async def test_a_silenced_alert_is_shown_but_does_not_shout(self, admin, sources) -> None:
        sources.diagnostics.raised[0]["silenced"] = True
        words = (await page(admin, "/")).words

        assert "All is well" in words
        assert "End silence" in words

    async def test_the_golden_signals_are_figures_and_drawings(self, admin) -> None:
        told = await page(admin, "/")

        assert ["Requests", "Errors", "p95"] == [
            each["aria-label"].partition(" ")[0] for each in told.all("svg")
        ]
        assert "2 streams" in told.words

    async def test_without_scripts_it_is_loaded_anew(self, admin) -> None:
        assert (
            '<noscript><meta http-equiv="refresh" content="15"></noscript>'
            in (await page(admin, "/")).html
        )
        assert "http-equiv" not in (await page(admin, "/errors")).html

    async def test_errors_lead_to_their_group_and_their_latest_request(self, admin) -> None:
        links = (await page(admin, "/")).links

        assert {"/errors/0123456789ab", "/requests/req-1", "/runbooks/stalls"} <= set(links)


class TestRequests:
    async def test_the_search_box_leads_to_the_story(self, admin) -> None:
        answer = await admin.get("/requests?id=%20a/b%20", allow_redirects=False)

        assert (303, "/requests/a%2Fb") == (answer.status, answer.headers["Location"])

    async def test_the_list_is_as_asked_for_fifty_at_a_time(self, admin, sources) -> None:
        told = await page(admin, "/requests?code=&route=chat&field.user_id=u-7")

        assert [
            Query(route="chat", fields={"user_id": "u-7"}, limit=50)
        ] == sources.diagnostics.asked
        assert "u-7" in [each.get("value") for each in told.all("input")]
        assert any("until=1795316422.000" in link for link in told.links)
        assert "/requests?field.user_id=u-7" in told.links

    @pytest.mark.parametrize(
        "name",
        ["code", "route", "status", "method", "path", "endpoint", "agent", "detail", "instance",
         "since", "until", "group", "field.user_id", "field.asked"],
    )  # fmt: skip
    async def test_each_filter_has_a_box(self, admin, sources, name: str) -> None:
        sources.settings = {"observe": {"fields": {"user_id": {"header": "X-User-Id"}}}}
        told = await page(admin, "/requests?field.asked=x")

        assert 1 == len([each for each in told.all("input") if each.get("name") == name])

    async def test_a_row_has_endpoint_fields_and_detail(self, admin, sources) -> None:
        sources.diagnostics.listed[0].update(endpoint="http://10.0.0.2:80", detail="no byte")
        told = await page(admin, "/requests")

        assert "10.0.0.2:80" in told.words
        assert "user_id=u-7" in told.words
        assert "no byte" in told.words
        assert "/routes#route-chat" in told.links

    async def test_a_wrong_filter_is_explained(self, admin) -> None:
        words = (await page(admin, "/requests?status=x", 400)).words

        assert "status=x should be a status from 100 to 999" in words

    async def test_a_store_that_cannot_be_read_is_said(self, admin, sources) -> None:
        sources.diagnostics.store, sources.diagnostics.listed = "failing", []
        words = (await page(admin, "/requests")).words

        assert "in memory only" in words
        assert "None are kept that fit" in words


class TestRequest:
    async def test_the_diagnosis_stands_before_the_evidence(self, admin) -> None:
        words = (await page(admin, "/requests/req-1")).words
        order = ["stream_stalled", "then nothing for 20.0 s", "Runbook", "Attempt 1", "Facts"]

        assert sorted(order, key=words.index) == order

    @pytest.mark.parametrize(
        "evidence",
        [
            "retried (reset) after 90 ms, retry budget 19 left", "reused connection, nothing sent",
            "closed before the head", "the client's key leads there; 3 could be used",
            "silence 20.0 s", "700 ms, 1.2 s after the beginning",
            "148 in 140 reads", "gap20.0 s20.0 sran out", "the path is /api/chat",
            "Where the time wentupstream 22.0 s, relay 0.4 ms",
            "closed, 4 of 10 attempts failed in 30.0 s", "The answer stopped arriving.",
            "c0ffee, worker 0", "u-7", "Client192.0.2.7Agentwidget/1", "breaker passed",
        ],
    )  # fmt: skip
    async def test_the_evidence_is_there(self, admin, evidence: str) -> None:
        assert evidence in (await page(admin, "/requests/req-1")).words

    async def test_other_requests_that_it_names_are_links(self, admin, sources) -> None:
        failures = [{"request_id": "other-0001", "status": 503}]
        words = ["opened after other-0001 and other-00012", "other-0001: 503"]
        sources.diagnostics.known[0] |= {
            "proven": "It had opened after other-0001 (503).",
            "culprits": {"circuit": {"failures": failures, "words": words}},
        }
        links = (await page(admin, "/requests/req-1")).links

        assert 3 == links.count("/requests/other-0001")
        assert "/requests/other-00012" not in links

    async def test_requests_that_share_an_id_are_all_told(self, admin, sources) -> None:
        sources.diagnostics.known *= 2
        answer = await admin.get("/requests/req-1")

        assert 2 == (await answer.text()).count("<article>")

    async def test_one_that_never_came_to_the_upstream_is_told(self, admin, sources) -> None:
        bare = {"request_id": "req-1", "code": "route_not_found", "runbook": "route_not_found"}
        sources.diagnostics.known = [bare]
        told = await page(admin, "/requests/req-1")

        assert "the upstream was not asked" in told.words
        assert [] == told.all("svg")

    async def test_an_unknown_id_is_said_and_never_echoed(self, admin) -> None:
        told = await page(admin, "/requests/canary", 404)

        assert "No story is kept under this ID" in told.words
        assert "canary" not in told.html

    async def test_ids_that_are_named_lead_to_their_stories(self, admin, sources) -> None:
        sources.diagnostics.why = "Several IDs begin so: <b>aaaa-1, <b>aaaa-10. Give more of it."
        sources.diagnostics.named = ("<b>aaaa-1", "<b>aaaa-10")
        told = await page(admin, "/requests/a-", 404)

        assert {"/requests/%3Cb%3Eaaaa-1", "/requests/%3Cb%3Eaaaa-10"} <= set(told.links)
        assert sources.diagnostics.why in told.words

    async def test_while_the_store_cannot_be_read_none_is_said_to_be_missing(
        self, admin, sources
    ) -> None:
        sources.diagnostics.store = "failing"

        await page(admin, "/requests/canary", 503)


class TestErrors:
    async def test_a_group_has_its_hours_samples_and_runbook(self, admin) -> None:
        told = await page(admin, "/errors/0123456789ab")

        assert {"/requests/req-1", "/requests/req-0"} <= set(told.links)
        asked = "code=stream_stalled&route=chat&endpoint=http%3A%2F%2F10.0.0.2%3A80"
        assert f"/requests?{asked}" in told.links
        assert "Runbook: stream_stalled" in told.words
        assert "Stack trace" not in told.words

    async def test_a_fault_of_ours_shows_its_trace(self, admin, sources) -> None:
        sources.diagnostics.groups[0]["trace"] = 'File "call.py", line 7'

        assert 'File "call.py", line 7' in (await page(admin, "/errors/0123456789ab")).words

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            ({"state": "muted"}, "muted"),
            ({"state": "resolved"}, "resolved"),
            ({"state": "active", "returned": True}, "came back"),
        ],
    )
    async def test_what_was_ordered_of_a_group_is_said_in_the_list_and_on_its_page(
        self, admin, sources, state, words
    ) -> None:
        sources.diagnostics.groups[0].update(state)

        for path in ("/errors", "/errors/0123456789ab"):
            assert f">{words}</span>" in (await page(admin, path)).html

    async def test_a_group_of_one_status_leads_to_those_with_it(self, admin, sources) -> None:
        sources.diagnostics.groups[0]["detail_class"] = "status 404"
        told = await page(admin, "/errors/0123456789ab")

        assert any(link.endswith("&status=404") for link in told.links)

    async def test_an_unknown_group_is_404(self, admin) -> None:
        await page(admin, "/errors/nope", 404)

    async def test_the_day_is_summed_up(self, admin) -> None:
        words = (await page(admin, "/errors")).words

        assert "Critical1" in words
        assert "0.2 errors an hour" in words


class TestChanges:
    async def test_buttons_ask_for_what_would_change_something(self, admin, sources) -> None:
        buttons = (await page(admin, "/routes")).all("button")
        orders = [b["data-post"] for b in buttons if "data-post" in b]

        assert ["/api/breakers/chat/close", "/api/breakers/chat/reset"] == orders
        assert all("data-confirm" in b for b in buttons if "data-post" in b)

    async def test_a_route_without_a_breaker_has_no_buttons(self, admin, sources) -> None:
        sources.circuits_told[0]["enabled"] = False

        assert [] == [b for b in (await page(admin, "/routes")).all("button") if "data-post" in b]

    async def test_alerts_can_be_silenced_and_tested(self, admin) -> None:
        buttons = (await page(admin, "/alerts")).all("button")
        asked = {b["data-post"]: b.get("data-body") for b in buttons if "data-post" in b}

        assert {"/api/alerts/test": None, "/api/alerts/stalls/silence": '{"for": "1h"}'} == asked


class TestEntry:
    @pytest.fixture
    def guard(self) -> Guard:
        return Guard("127.0.0.1", "sixteen-letters!")

    async def test_the_right_token_begins_a_session(self, admin) -> None:
        answer = await admin.post(
            "/session", data={"token": "sixteen-letters!"}, allow_redirects=False
        )
        cookie = answer.headers["Set-Cookie"]

        assert (303, "/") == (answer.status, answer.headers["Location"])
        assert all(word in cookie for word in ("HttpOnly", "SameSite=Strict", "Path=/"))
        assert "sixteen" not in cookie

    async def test_a_wrong_one_does_not(self, admin) -> None:
        answer = await admin.post("/session", data={"token": "wrong"})

        assert 401 == answer.status
        assert "Set-Cookie" not in answer.headers
        assert "not the token" in await answer.text()

    async def test_whoever_came_by_a_session_may_end_it(self, admin) -> None:
        await admin.post("/session", data={"token": "sixteen-letters!"})
        assert "Sign out" in await (await admin.get("/")).text()
        foreign = {"Sec-Fetch-Site": "cross-site"}
        kept = await admin.post("/session", data={}, headers=foreign, allow_redirects=False)
        assert "Set-Cookie" not in kept.headers, "another page must not sign anybody out"
        left = await admin.post("/session", data={}, allow_redirects=False)

        assert (303, "/session") == (left.status, left.headers["Location"])
        assert 401 == (await admin.get("/")).status


async def test_without_a_session_nobody_can_sign_out(admin) -> None:
    assert "Sign out" not in (await page(admin, "/")).words


async def test_only_our_own_files_are_assets(admin) -> None:
    assert "text/css" == (await admin.get("/assets/style.css")).content_type
    assert "text/javascript" == (await admin.get("/assets/page.js")).content_type
    for name in ("nope.css", "..%2fdoor.py", "%2e%2e/door.py"):
        assert 404 == (await admin.get(f"/assets/{name}")).status


def test_the_sample_is_whole() -> None:
    """So that a page that forgets a part of a story is found out."""
    assert {"attempts", "clocks", "stream", "client", "breaker", "guards"} <= set(STALLED)
