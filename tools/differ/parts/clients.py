"""Requests: on their way at the end, with callbacks, with asyncio, timed out, cancelled, to nobody."""

from __future__ import annotations

from tools.differ.part import Part

PARTS = [
    Part("requests are on their way", "storm = [call_async('echo') for _ in range({{10|200}})]", weight=2),
    Part(
        "completions print",
        """
        storm_of_prints = [call_async("echo") for _ in range({{10|200}})]
        for each in storm_of_prints:
            each.add_done_callback(lambda done: print("completed"))
        """,
        prints=True,
        weight=1.5,
    ),
    Part(
        "a completion takes its time",
        "call_async('echo').add_done_callback(lambda done: time.sleep({{0.05|0.2}}))",
    ),
    Part(
        "a completion never ends",
        """
        completing = threading.Event()


        def never_end(done):
            completing.set()
            threading.Event().wait()


        call_async("echo").add_done_callback(never_end)
        completing.wait(1)
        """,
        group="stuck",
        is_stuck=True,
        weight=0.3,
    ),
    Part(
        "a completion makes the next request",
        """
        def and_again(done):
            try:
                call_async("echo").add_done_callback(and_again)
            except Exception:
                pass


        and_again(None)
        """,
    ),
    Part(
        "sent callbacks",
        """
        for _ in range(20):
            call_async("echo").add_sent_callback(lambda *sent: None)
        """,
        weight=0.7,
    ),
    Part("a request is cancelled", "cancelled = [call_async('echo') for _ in range(5)]\ncancelled[2].cancel()"),
    Part(
        "requests to where nobody listens",
        """
        nobody = client.stringToProxy("nobody:tcp -h 127.0.0.1 -p 1")
        refused = [call_async("echo", nobody) for _ in range(10)]
        """,
    ),
    Part(
        "requests that nobody answers",
        """
        silent = socket.create_server(("127.0.0.1", 0))
        unanswered = client.stringToProxy(f"silent:tcp -h 127.0.0.1 -p {silent.getsockname()[1]}")
        timing_out = [call_async("echo", unanswered.ice_invocationTimeout({{10|100}})) for _ in range(5)]
        """,
        stderr=(".*ResourceWarning: unclosed <socket.*", "  .*"),
    ),
    Part(
        "oneways", "call('echo', proxy.ice_oneway())\nfor _ in range(50):\n    call_async('echo', proxy.ice_oneway())"
    ),
    Part(
        "batches",
        """
        batch = proxy.ice_batchOneway()
        for _ in range(20):
            batch.ice_ping()
        {{batch.ice_flushBatchRequestsAsync()|pass}}
        """,
        weight=0.7,
    ),
    Part(
        "asyncio waits for some requests",
        """
        async def ask():
            asked = [Ice.wrap_future(call_async("echo")) for _ in range({{5|50}})]
            await asked[{{0|4}}]


        asyncio.run(ask())
        """,
        weight=1.5,
    ),
    Part(
        "asyncio in a daemon thread",
        """
        async def ask_on():
            while True:
                await Ice.wrap_future(call_async("echo"))


        def run_loop():
            try:
                asyncio.run(ask_on())
            except Exception:
                pass


        threading.Thread(target=run_loop, daemon=True).start()
        """,
    ),
    Part(
        "a communicator with an event loop",
        """
        async def use_loop():
            own_data = Ice.InitializationData()
            own_data.eventLoopAdapter = Ice.asyncio.EventLoopAdapter(asyncio.get_running_loop())
            own = communicator(own_data, quiet)
            there = own.stringToProxy(str(proxy))
            await asyncio.gather(*[call_async("echo", there) for _ in range(5)])
            late = [call_async("echo", there) for _ in range({{0|20}})]


        asyncio.run(use_loop())
        """,
        need="Ice 3.8",
    ),
    Part(
        "async with a communicator",
        """
        async def use_block():
            block_data = Ice.InitializationData()
            block_data.eventLoopAdapter = Ice.asyncio.EventLoopAdapter(asyncio.get_running_loop())
            async with Ice.Communicator(initData=block_data) as block:
                await call_async("echo", block.stringToProxy(str(proxy)).ice_collocationOptimized(False))


        asyncio.run(use_block())
        """,
        need="Ice 3.8",
    ),
    Part(
        "the admin object is asked for",
        """
        admin_data = Ice.InitializationData()
        administered = communicator(admin_data, {**quiet, "Ice.Admin.Endpoints": "tcp -h 127.0.0.1"})
        administered.getAdmin().ice_facet("Process").ice_ping()
        """,
        weight=0.7,
    ),
    Part(
        "many communicators",
        """
        for _ in range({{3|10}}):
            more = communicator(Ice.InitializationData(), quiet)
            call("echo", more.stringToProxy(str(proxy)).ice_collocationOptimized(False))
        """,
    ),
    Part(
        "a communicator comes and goes",
        """
        with Ice.initialize() as short:
            call("echo", short.stringToProxy(str(proxy)).ice_collocationOptimized(False))
        """,
    ),
    Part(
        "a thread makes and destroys communicators",
        """
        def come_and_go():
            try:
                for _ in range(5):
                    with Ice.initialize() as passing:
                        call("echo", passing.stringToProxy(str(proxy)).ice_collocationOptimized(False))
            except Exception:
                pass


        threading.Thread(target=come_and_go, daemon={{True|False}}).start()
        """,
        stderr=(".*ResourceWarning: this communicator was never destroyed by the program.*", "  .*"),
    ),
]
