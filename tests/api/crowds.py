"""Many clients that send the same to a real web server at once."""

import asyncio
from typing import Any

import httpx

from tests.api.server import WebServer


def post_all_at_once(
    web: WebServer, token: str, path: str, body: dict[str, Any], *, times: int
) -> list[httpx.Response]:
    async def post() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=times)
        transport = httpx.AsyncHTTPTransport(uds=str(web.path), limits=limits)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", timeout=120, headers=headers
        ) as client:
            return await asyncio.gather(*(client.post(path, json=body) for _ in range(times)))

    return asyncio.run(post())
