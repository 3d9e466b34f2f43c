"""Calls that are cancelled at random, by several threads and on event loops: none is lost, and none is told twice."""

import os
import textwrap

import pytest
from children import python

import icegil

CALLS = int(os.environ.get("CALLS", "20000"))

SHARED = """
    import contextlib, queue, random, sys, threading
    import Ice
    from _echo import Echo, communicator, serve

    CALLS = int(sys.argv[1])
    chance = random.Random(1)

    def said(number):
        return (14).to_bytes(4, "little") + b"\\1\\1" + number.to_bytes(8, "little")  # an encapsulation

    ANSWERED, CANCELLED = 1, 2
    ends = bytearray(CALLS)

    def say_how_it_went():
        print(ends.count(0), ends.count(CANCELLED) > 0, ends.count(ANSWERED) > CALLS // 2)
"""
FROM_THREADS = """
    told = bytearray(CALLS)
    to_cancel = queue.SimpleQueue()

    def tell(number, call):
        told[number] += 1
        try:
            done, out = call.result()
            assert out == said(number), (number, out)
            ends[number] += ANSWERED
        except Ice.InvocationCanceledException:
            ends[number] += CANCELLED

    def cancel():
        while (call := to_cancel.get()) is not None:
            call.cancel()

    with communicator() as ice:
        proxy = serve(ice, Echo())
        cancelling = [threading.Thread(target=cancel) for _ in range(2)]
        for each in cancelling:
            each.start()
        for begun in range(0, CALLS, 500):
            numbers = range(begun, min(begun + 500, CALLS))
            calls = []
            for number in numbers:
                call = proxy.ice_invokeAsync("echo", Ice.OperationMode.Normal, said(number))
                call.add_done_callback(lambda call, number=number: tell(number, call))
                calls.append(call)
                if chance.random() < 0.3:
                    to_cancel.put(call)
            for call in calls:
                with contextlib.suppress(Ice.InvocationCanceledException):
                    call.exception()
        for _ in cancelling:
            to_cancel.put(None)
        for each in cancelling:
            each.join()
        ice.destroy()  # no thread of Ice is in a callback any more
    assert set(told) == {1}, [number for number in range(CALLS) if told[number] != 1][:10]
    say_how_it_went()
"""
ON_A_LOOP = """
    import asyncio

    async def ask(proxy, number):
        call = asyncio.ensure_future(proxy.ice_invokeAsync("echo", Ice.OperationMode.Normal, said(number)))
        if chance.random() < 0.3:
            asyncio.get_running_loop().call_soon(call.cancel)
        try:
            done, out = await call
            assert out == said(number), (number, out)
            ends[number] += ANSWERED
        except asyncio.CancelledError:
            ends[number] += CANCELLED

    async def main():
        async with communicator(loop=asyncio.get_running_loop()) as ice:
            proxy = ice.stringToProxy(str(serve(ice, Echo())))
            for begun in range(0, CALLS, 500):
                await asyncio.gather(*[ask(proxy, number) for number in range(begun, min(begun + 500, CALLS))])

    asyncio.run(main())
    say_how_it_went()
"""
WAYS = {"from threads": FROM_THREADS, **({"on a loop": ON_A_LOOP} if icegil.Ice.intVersion() >= 30800 else {})}


@pytest.mark.parametrize("way", WAYS)
def test_cancelled_or_answered_each_call_is_told_once(way: str) -> None:
    program = textwrap.dedent(SHARED) + textwrap.dedent(WAYS[way])
    ended = python("-m", "icegil", "run", "-c", program, str(CALLS), within=60 + CALLS / 1000)
    assert (ended.stdout, ended.stderr, ended.status) == ("0 True True\n", "", 0)
