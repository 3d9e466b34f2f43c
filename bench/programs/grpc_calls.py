"""What `loop_calls.py` does, with gRPC for Python: bytes there and back, no message that would have to be parsed.

Arguments: how many at once; bytes of the payload; how many calls. As `serve` it is the server.
"""

import asyncio
import subprocess
import sys

import grpc
from _meter import at_once, report

METHOD = "/bench.Echo/echo"


class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(self.echo) if details.method == METHOD else None

    async def echo(self, request, context):
        return request


async def serve():
    server = grpc.aio.server()
    server.add_generic_rpc_handlers([Handler()])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.stop(None)


async def main(count, size, calls):
    payload = bytes(size)
    server = subprocess.Popen(
        [sys.executable, __file__, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.stdout.readline().strip()}") as channel:
        echo = channel.unary_unary(METHOD)
        figures = await at_once(lambda: echo(payload), count, calls)
    server.stdin.close()
    server.wait()
    return figures


if sys.argv[1] == "serve":
    asyncio.run(serve())
else:
    report(asyncio.run(main(*map(int, sys.argv[1:4]))))
