"""An ASGI application that asks an Ice server for each page; its communicator is left to the exit."""

import asyncio
import os

import Ice

echo = None


def connect():
    # Communicators of Ice 3.7 know no event loop: its futures are wrapped for asyncio one by one.
    loop = {"eventLoop": asyncio.get_running_loop()} if hasattr(Ice, "asyncio") else {}
    return Ice.initialize(**loop).stringToProxy(os.environ["ECHO"])


def awaitable(future):
    return future if hasattr(Ice, "asyncio") else Ice.wrap_future(future)


async def answer():
    await awaitable(echo.ice_pingAsync())


async def application(scope, receive, send):
    global echo
    if scope["type"] == "lifespan":
        await receive()
        echo = connect()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    pending = [asyncio.ensure_future(answer()) for _ in range(20)]
    await pending[0]  # the others are still under way when the page is sent
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
