"""The loop ends just as a dispatch's task was made: its coroutine never takes its first step.

hazard: Python complains of a task that was pending, and the dispatch never ends
ends: status 0
within: 4
needs: asyncio
"""

import asyncio

import Ice
from _echo import Echo, communicator, serve


class Late(Echo):
    async def ice_invoke(self, arguments, current):
        return True, arguments


def make_task(loop, coroutine, **options):
    loop.stop()  # at the end of this round, in which no new task takes a step
    return asyncio.Task(coroutine, loop=loop, **options)


loop = asyncio.new_event_loop()
ice = communicator({"Ice.Warn.Dispatch": 0}, loop=loop)
client = communicator()
proxy = client.stringToProxy(str(serve(ice, Late())))
call = proxy.ice_invokeAsync("late", Ice.OperationMode.Normal, b"")
loop.set_task_factory(make_task)
loop.run_forever()
loop.close()
