"""The admin port as its visitors see it."""

import asyncio

import pytest

from proxy.admin.guard import Guard
from proxy.observation.upstream_status import UpstreamHealth

PAGES = [
    "/livez", "/readyz", "/health", "/metrics", "/metrics.json", "/api/config", "/api/requests",
    "/api/requests/req-1", "/api/errors", "/api/errors/0123456789ab", "/api/alerts",
    "/api/breakers", "/api/routes", "/api/codes/completed", "/api/live", "/api/openapi.json",
    "/drain", "/", "/live", "/requests", "/requests/req-1", "/errors", "/errors/0123456789ab",
    "/alerts", "/routes", "/runbooks/stream_stalled", "/session", "/assets/style.css",
    "/assets/page.js",
]  # fmt: skip
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("page", PAGES)
async def test_every_page_answers_get_and_head_and_is_never_cached(admin, page: str) -> None:
    got = await admin.get(page)
    head = await admin.head(page)

    assert (200, 200) == (got.status, head.status)
    assert "no-store" == got.headers["Cache-Control"] == head.headers["Cache-Control"]
    assert b"" != await got.read()
    assert b"" == await head.read()
    assert "sidelight" == got.headers["Server"]
    assert "nosniff" == got.headers["X-Content-Type-Options"]
    assert "default-src 'none'" in got.headers["Content-Security-Policy"]


async def test_ready_follows_the_application_and_says_why_not(admin, sources) -> None:
    assert {"ready": True} == await (await admin.get("/readyz")).json()
    sources.readiness = (False, "draining")
    answer = await admin.get("/readyz")

    assert 503 == answer.status
    assert {"ready": False, "reason": "draining"} == await answer.json()


async def test_alive_is_alive_when_nothing_else_works(admin, sources) -> None:
    sources.readiness = (False, "draining")
    sources.upstreams = {"backend": UpstreamHealth("failing", "connect_refused")}

    assert 200 == (await admin.get("/livez")).status


async def test_degraded_is_503_with_the_reason(admin, sources) -> None:
    sources.upstreams = {"backend": UpstreamHealth("failing", "connect_refused")}
    answer = await admin.get("/health")
    told = await answer.json()

    assert 503 == answer.status
    assert "degraded" == told["status"]
    assert "connect_refused" == told["upstreams"]["backend"]["reason"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        pytest.param("*/*", "text/plain", id="anything: text"),
        pytest.param("application/openmetrics-text;version=1.0.0", "application/openmetrics-text"),
        pytest.param("application/json", "application/json", id="JSON: the summary"),
        pytest.param("text/html, application/json;q=0.9", "application/json", id="JSON at least"),
        pytest.param("application/json;q=0.1,text/plain", "text/plain", id="text is welcome"),
    ],
)
async def test_metrics_come_as_asked_for(admin, accept: str, kind: str) -> None:
    answer = await admin.get("/metrics", headers={"Accept": accept})

    assert kind == answer.headers["Content-Type"].partition(";")[0]


async def test_metrics_are_those_of_the_moment(admin, sources) -> None:
    sources.metrics.drained("cut")
    text = await (await admin.get("/metrics")).text()

    assert 'sidelight_drain_exchanges_total{result="cut"} 1.0\n' in text
    assert 'sidelight_build_info{python="' in text


async def test_many_scrapers_are_all_answered(admin) -> None:
    answers = await asyncio.gather(*(admin.get("/metrics") for _ in range(10)))

    assert [200] * 10 == [answer.status for answer in answers]


async def test_the_summary_has_its_two_parts(admin) -> None:
    told = await (await admin.get("/metrics.json")).json()

    assert 10.0 == told["uptime_seconds"]
    assert 0 == told["total_requests"] == told["last_five_minutes"]["total_requests"]


async def test_settings_are_shown_without_secrets(admin, sources) -> None:
    sources.settings = {"admin": {"token": "canary", "port": 8081}}

    assert {"admin": {"token": "[redacted]", "port": 8081}} == await (
        await admin.get("/api/config")
    ).json()


async def test_a_code_is_explained(admin) -> None:
    told = await (await admin.get("/api/codes/head_timeout")).json()

    assert ("head_timeout", "uH", 504, True, "failure", True) == tuple(
        told[name] for name in ("code", "term", "status", "retryable", "signal", "is_error")
    )


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/metrics/", 404, "not_found"),
        ("GET", "/api/codes/nonsense", 404, "code_not_found"),
        ("POST", "/api/config", 405, "method_not_allowed"),
        ("DELETE", "/health", 405, "method_not_allowed"),
    ],
)
async def test_errors_are_in_the_form_of_the_house(admin, method, path, status, code) -> None:
    answer = await admin.request(method, path, headers=JSON)
    told = await answer.json()

    assert (status, code) == (answer.status, told["error"])
    assert ["error", "message", "request_id", "retryable"] == list(told)
    assert told["request_id"] == answer.headers["X-Request-ID"]
    assert code == answer.headers["X-Sidelight-Error"]
    assert "no-store" == answer.headers["Cache-Control"]
    assert ("GET, HEAD" if status == 405 else None) == answer.headers.get("Allow")


@pytest.mark.parametrize("path", ["/api/config", "/api/codes/completed", "/nonsense"])
async def test_a_rebound_name_reads_nothing_but_what_is_open(admin, path: str) -> None:
    rebound = {"Host": "rebound.example"}

    assert 403 == (await admin.get(path, headers=rebound)).status
    assert 200 == (await admin.get("/health", headers=rebound)).status


async def test_a_fault_of_ours_is_answered_in_our_form_and_gives_nothing_away(
    admin, sources, caplog
) -> None:
    sources.upstreams = None  # nobody expects that
    answer = await admin.get("/health")
    told = await answer.json()

    assert (500, "internal_error") == (answer.status, told["error"])
    assert "no-store" == answer.headers["Cache-Control"]
    assert "Traceback" not in str(told)
    assert ["Error handling request"] == [record.message for record in caplog.records]


async def test_a_body_that_is_too_large_is_refused(admin) -> None:
    answer = await admin.post("/api/alerts/stalls/silence", data=b" " * 20_000, headers=JSON)

    assert (413, "body_too_large") == (answer.status, (await answer.json())["error"])


async def test_a_page_that_is_not_there_is_said_in_html(admin) -> None:
    answer = await admin.get("/nothing", headers={"Accept": "text/html"})

    assert (404, "text/html") == (answer.status, answer.content_type)


class TestWithToken:
    @pytest.fixture
    def guard(self) -> Guard:
        return Guard("127.0.0.1", "sixteen-letters!")

    async def test_the_token_opens(self, admin) -> None:
        right = {"Authorization": "Bearer sixteen-letters!"}

        assert 200 == (await admin.get("/api/config", headers=right)).status

    async def test_a_session_opens_too(self, admin) -> None:
        begun = await admin.post(
            "/session", data={"token": "sixteen-letters!"}, allow_redirects=False
        )
        cookie = begun.cookies["sidelight_session"].value
        answer = await admin.get("/api/config", headers={"Cookie": f"sidelight_session={cookie}"})

        assert 200 == answer.status

    async def test_people_get_the_form_and_scripts_get_json(self, admin) -> None:
        people = await admin.get("/errors", headers={"Accept": "text/html"})
        scripts = await admin.get("/api/errors", headers={"Accept": "text/html"})

        assert (401, "text/html") == (people.status, people.content_type)
        assert 'name="token"' in await people.text()
        assert (401, "application/json") == (scripts.status, scripts.content_type)

    async def test_without_it_the_way_is_shown(self, admin) -> None:
        answer = await admin.get("/api/config")

        assert 401 == answer.status
        assert "Bearer" == answer.headers["WWW-Authenticate"]
        assert "token_required" == (await answer.json())["error"]
        assert 200 == (await admin.get("/metrics")).status
