"""`deploy/smoke.sh` says yes to a Sidelight that works, and what is wrong with any other."""

import asyncio

import pytest

from tests.deploy.tools import tool
from tests.house.fault_upstream import reset_before_head, status
from tests.house.house import ROOT

TOKEN = "x" * 24


async def smoke(running, path: str, token: str = TOKEN) -> tuple[int, str]:
    tool("curl", "curl")
    done = await asyncio.create_subprocess_exec(
        str(ROOT / "deploy" / "smoke.sh"),
        f"http://127.0.0.1:{running.port}",
        f"http://127.0.0.1:{running.admin_port}",
        path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PATH": "/usr/bin:/bin", "SIDELIGHT_ADMIN__TOKEN": token},
    )
    async with asyncio.timeout(30):
        said, _ = await done.communicate()
    return done.returncode, said.decode()


async def test_a_sidelight_that_works(upstream, process):
    running = await process(admin={"token": TOKEN})
    upstream.on("/hello", status(404))
    code, said = await smoke(running, "/hello")

    assert 0 == code, said
    assert 7 == said.count("ok ")
    assert "GET /hello through the proxy: 404" in said


@pytest.mark.parametrize(
    ("path", "token", "wrong"),
    [
        ("/lost", TOKEN, "no   GET /lost through the proxy: 502"),
        ("/hello", "another token of many letters", "no   the story of"),
    ],
)
async def test_one_that_does_not(upstream, process, path, token, wrong):
    running = await process(admin={"token": TOKEN})
    upstream.on("/hello", status(200))
    upstream.on("/lost", reset_before_head)
    code, said = await smoke(running, path, token)

    assert 1 == code, said
    assert wrong in said


async def test_one_that_is_not_there(process):
    running = await process()
    await running.end()
    code, said = await smoke(running, "/")

    assert (1, True) == (code, "no   /livez is not 200" in said)
