"""Asks the admin port as a script on the same machine does, for scenes."""

from typing import Any

from tests.house.raw_client import Answer, RawClient, request


async def ask(port: int, path: str) -> Answer:
    """The admin port answers to names of its own only."""
    async with RawClient(port) as client:
        await client.send(request("GET", path, host="localhost"))
        return await client.answer()


async def stories(port: int, reference: str) -> list[dict[str, Any]]:
    """Every story under that ID, at once: whoever reads the ID may ask the next moment."""
    answer = await ask(port, f"/api/requests/{reference}")
    assert 200 == answer.status, answer.body
    return answer.json()["stories"]


async def listed(port: int, question: str = "") -> list[dict[str, Any]]:
    answer = await ask(port, f"/api/requests?limit=1000&{question}")
    assert 200 == answer.status, answer.body
    return answer.json()["requests"]
