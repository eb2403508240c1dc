"""Which Sidelight a page is of."""

import socket

import pytest

from proxy.admin.identity import Identity


@pytest.mark.parametrize(
    ("uptime", "said"), [(12.0, "up 12.0 s"), (3600.0, "up 60.0 min"), (129600.0, "up 1.5 d")]
)
def test_it_is_said_in_one_line(uptime, said) -> None:
    assert Identity("chat", "host-1", "1.2.3", uptime).words == f"chat on host-1 · 1.2.3 · {said}"


@pytest.mark.parametrize(
    "path",
    ["/", "/requests", "/requests/req-1", "/requests/nope-0001", "/errors", "/errors/nope",
     "/alerts", "/routes", "/runbooks/stream_stalled", "/nowhere"],
)  # fmt: skip
async def test_every_page_says_which_sidelight_it_is_in_title_and_head(admin, path) -> None:
    html = await (await admin.get(path, headers={"Accept": "text/html"})).text()
    who = f"sidelight on {socket.gethostname()}"

    assert f"{who} · 1.2.3 · up" in html.partition("</title>")[0]
    assert f'<small class="which">{who} · 1.2.3 · up' in html
