"""The least that aiohttp can do as a proxy: server and `ClientSession`, nothing else.

No ID, no log, no metrics, no timer, no rule. Run as `bare_aiohttp.py PORT UPSTREAM`.
"""

import asyncio
import sys

import aiohttp
import uvloop
from aiohttp import web

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"}


async def stream(
    request: web.BaseRequest, answer: aiohttp.ClientResponse, headers: list[tuple[str, str]]
) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=dict(headers))
    await response.prepare(request)
    async for data in answer.content.iter_any():
        await response.write(data)
    return response


async def serve(port: int, upstream: str) -> None:
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None),
    )

    async def forward(request: web.BaseRequest) -> web.StreamResponse:
        headers = [(k, v) for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP]
        body = request.content if request.body_exists else None
        async with session.request(
            request.method, upstream + request.raw_path, headers=headers, data=body
        ) as answer:
            kept = [(k, v) for k, v in answer.headers.items() if k.lower() not in HOP_BY_HOP]
            if answer.content_type == "text/event-stream":
                return await stream(request, answer, kept)
            return web.Response(status=answer.status, headers=kept, body=await answer.read())

    server = web.Server(forward, access_log=None)
    async with session:
        await asyncio.get_running_loop().create_server(server, "127.0.0.1", port)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2]))
