"""What Ice calls besides servants: executors, thread hooks, close callbacks, interceptors."""

from __future__ import annotations

from tools.differ.part import Part

PARTS = [
    Part(
        "an executor runs everything where it is",
        data="""
        def execute(work, connection):
            work()


        data.executor = data.dispatcher = execute  # the older name is Ice 3.7's
        """,
        group="executor",
    ),
    Part(
        "an executor hands everything to a daemon thread",
        data="""
        work_for_executor = queue.SimpleQueue()


        def execute_all():
            while True:
                work_for_executor.get()()


        threading.Thread(target=execute_all, daemon=True).start()
        data.executor = data.dispatcher = lambda work, connection: work_for_executor.put(work)
        """,
        group="executor",
        weight=0.7,
    ),
    Part(
        "an executor is a pool",
        data="""
        executing = concurrent.futures.ThreadPoolExecutor(2)


        def execute_in_pool(work, connection):
            try:
                executing.submit(work)
            except RuntimeError:  # it takes nothing more when Python shuts down
                work()


        data.executor = data.dispatcher = execute_in_pool
        """,
        early="import concurrent.futures",
        group="executor",
        weight=0.7,
    ),
    Part(
        "thread hooks",
        data="""
        def started():
            hook_calls.append("started")


        def stopped():
            hook_calls.append("stopped")


        hook_calls = []
        data.threadStart, data.threadStop = started, stopped
        """,
        group="hooks",
    ),
    Part(
        "thread hooks that print",
        data="""
        data.threadStart = lambda: print("a thread begins")
        data.threadStop = lambda: print("a thread ends")
        """,
        group="hooks",
    ),
    Part(
        "threads of Ice come and go",
        """
        storm_for_threads = [call_async("pause") for _ in range(40)]
        storm_for_threads[0].result()
        """,
        data="""
        operations["pause"] = lambda: time.sleep(0.002)
        settings.update({"Ice.ThreadPool.Server.SizeMax": 12, "Ice.ThreadPool.Server.SizeWarn": 0})
        """,
    ),
    Part(
        "close callbacks",
        """
        for number in range({{1|10}}):
            connection = proxy.ice_connectionId(str(number)).ice_getConnection()
            connection.setCloseCallback(lambda closed: print("a connection was closed"))
        """,
    ),
    Part(
        "calls over a connection in both directions",
        """
        class CallsBack(Ice.Blobject):
            def ice_invoke(self, arguments, current):
                call_async("echo", current.con.createProxy(Ice.stringToIdentity("back")))
                return True, EMPTY


        back_adapter = client.createObjectAdapter("")
        back_adapter.add(Servant(), Ice.stringToIdentity("back"))
        back_adapter.activate()
        calls_back = serve("calls back", CallsBack())
        calls_back.ice_getConnection().setAdapter(back_adapter)
        both_ways = [call_async("echo", calls_back) for _ in range({{3|50}})]
        """,
    ),
    Part(
        "a batch interceptor",
        "for _ in range(10):\n    proxy.ice_batchOneway().ice_ping()\n",
        data="data.batchRequestInterceptor = lambda request, count, size: request.enqueue()",
        weight=0.5,
    ),
    Part(
        "an implicit context",
        "ice.getImplicitContext().put('who', 'me')\ncall('echo')",
        data="settings['Ice.ImplicitContext'] = '{{Shared|PerThread}}'",
        weight=0.5,
    ),
    Part(
        "properties are watched",
        """
        class Updated(getattr(Ice, "PropertiesAdminUpdateCallback", object)):  # Ice 3.7 wants one
            def __call__(self, changes):
                print("updated", flush=True)

            updated = __call__


        watched_data = Ice.InitializationData()
        watched_ice = communicator(watched_data, {**quiet, "Ice.Admin.Enabled": 1})
        watched_adapter = watched_ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
        watched_admin = watched_ice.createAdmin(watched_adapter, Ice.stringToIdentity("admin"))
        watched_adapter.activate()
        updated = Updated()
        watched_ice.findAdminFacet("Properties").addUpdateCallback(updated)
        facet = watched_admin.ice_facet("Properties").ice_collocationOptimized(False)
        Ice.PropertiesAdminPrx.uncheckedCast(facet).setProperties({"Some": "thing"})
        """,
        weight=0.5,
    ),
    Part(
        "few threads",
        data='settings.update({"Ice.ThreadPool.Server.Size": 1, "Ice.ThreadPool.Client.Size": 1})',
        weight=0.7,
        may_stand_still=True,
    ),
    Part(
        "serialized dispatch",
        data='settings["Ice.ThreadPool.Server.Serialize"] = 1',
        weight=0.3,
    ),
    Part(
        "datagrams",
        """
        datagrams = ice.createObjectAdapterWithEndpoints("", "udp -h 127.0.0.1")
        taker = datagrams.add(Servant(), Ice.stringToIdentity("taker")).ice_datagram()
        datagrams.activate()
        for _ in range({{5|100}}):
            call_async("take", client.stringToProxy(str(taker)).ice_collocationOptimized(False))
        """,
        weight=0.7,
    ),
]
