r"""Ctrl-C at a random moment of `asyncio.run`, with requests on their way.

hazard: whatever the program was about to destroy is left as it is
ends: SIGINT
stderr: Traceback \(most recent call last\):\n.*KeyboardInterrupt\n
needs: asyncio
"""

import asyncio
import os
import random
import signal
import threading

from _echo import communicator, serve


async def main():
    ice = communicator(loop=asyncio.get_running_loop())
    proxy = serve(ice)
    threading.Timer(random.random() / 10, os.kill, (os.getpid(), signal.SIGINT)).start()
    while True:
        await asyncio.gather(*[proxy.ice_pingAsync() for _ in range(20)])


asyncio.run(main())
