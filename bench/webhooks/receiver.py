"""A receiver of webhooks that answers 204 after as many milliseconds as its path says, and remembers when each came.

`python receiver.py`: prints its port. `GET /seen` answers `{webhook-id: epoch seconds of its first arrival}`, and
`DELETE /` forgets them.
"""

from __future__ import annotations

import asyncio
import json
import time

ANSWER = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"

seen: dict[str, float] = {}


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            await _answer(head, reader, writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _answer(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    lines = head.split(b"\r\n")
    method, path, _ = lines[0].split(b" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines[1:])}
    await reader.readexactly(int(headers.get(b"content-length", 0)))
    if method == b"POST":
        seen.setdefault(headers[b"webhook-id"].decode(), time.time())
        await asyncio.sleep(int(path[1:]) / 1000)
        writer.write(ANSWER)
        return
    body = b""
    if method == b"DELETE":
        seen.clear()
    elif path == b"/seen":
        body = json.dumps(seen).encode()
    else:
        body = str(len(seen)).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
