"""What runs as a program ends: atexit handlers, finalizers, `__del__`, generators."""

from __future__ import annotations

from tools.differ.part import UNDESTROYED, Part

CALLER = """
class Caller:
    def __init__(self, to):
        self.to, self.call, self.failed = to, call, Exception

    def __del__(self):
        try:
            self.call("echo", self.to)
        except self.failed:
            pass


"""

PARTS = [
    Part(
        "an atexit handler calls",
        """
        @atexit.register
        def say_goodbye():
            try:
                call("echo")
                print("goodbye was said")
            except Ice.Exception as error:
                print("failed: no goodbye,", type(error).__name__)
        """,
        weight=1.5,
    ),
    Part(
        "an atexit handler from before Ice was imported calls",
        "goodbyes.append(lambda: call('echo'))",
        early="""
        goodbyes = []


        @atexit.register
        def say_last_goodbye():
            for each in goodbyes:
                try:
                    each()
                    print("the last goodbye was said")
                except Exception as error:
                    print("failed: no last goodbye,", type(error).__name__)
        """,
        weight=1.5,
    ),
    Part(
        "an atexit handler makes requests and waits for none",
        "atexit.register(lambda: [call_async('echo') for _ in range({{5|50}})])",
        stderr=(r".*CommunicatorDestroyedException.*", "[{}]", r"Exception ignored in atexit.*", "Traceback.*", "  .*"),
    ),
    Part(
        "an atexit handler raises",
        """
        @atexit.register
        def fail():
            raise LookupError("of no importance")
        """,
        stderr=("Exception ignored in atexit.*", "Traceback.*", "  .*", "LookupError.*"),
        weight=0.5,
    ),
    Part("an atexit handler takes its time", "atexit.register(time.sleep, {{0.05|0.2}})", weight=0.7),
    Part(
        "a finalizer calls",
        """
        class Resource:
            def release(to):
                try:
                    call("echo", to)
                    print("released")
                except Exception as error:
                    print("failed: not released,", type(error).__name__)


        resource_kept = Resource()
        weakref.finalize(resource_kept, Resource.release, proxy)
        """,
        weight=1.5,
    ),
    Part(
        "finalizers from before Ice was imported",
        "old.release = lambda: call('echo')",
        early="""
        class Old:
            def release_all(held):
                try:
                    held["release"]()
                    print("the old one was released")
                except Exception as error:
                    print("failed: the old one was not released,", type(error).__name__)


        old = Old()
        weakref.finalize(old, Old.release_all, vars(old))
        """,
        weight=1.5,
    ),
    Part(
        "a temporary folder", "folder = tempfile.TemporaryDirectory()\n", stderr=(r".*Implicitly cleaning up.*", "  .*")
    ),
    Part("a global object calls in its __del__", CALLER + "last = Caller(proxy)", group="caller"),
    Part(
        "an object of a cycle calls in its __del__", CALLER + "last = Caller(proxy)\nlast.itself = last", group="caller"
    ),
    Part(
        "an object in builtins calls in its __del__",
        CALLER + "{{builtins|sys}}.last = Caller(proxy)",
        group="caller",
    ),
    Part(
        "a function of Ice's has an object that calls in its __del__",
        CALLER + "Servant.last = Caller(proxy)\nIce.Blobject.last = Caller(proxy)",
        group="caller",
        weight=0.5,
    ),
    Part(
        "an object destroys a communicator of its own in its __del__",
        """
        class Session:
            def __init__(self):
                self.own = communicator(Ice.InitializationData(), quiet)
                communicators.remove(self.own)

            def __del__(self):
                self.own.destroy()


        session = Session()
        """,
        stderr=UNDESTROYED,
    ),
    Part(
        "a generator calls in its finally",
        """
        def generate(send, to):
            try:
                yield 1
                yield 2
            finally:
                try:
                    send("echo", to)
                except BaseException:
                    pass


        generator = generate(call, proxy)
        next(generator)
        {{sys.generator = generator|pass}}
        """,
    ),
    Part(
        "an asynchronous generator that is left half-way",
        """
        async def produce():
            try:
                yield 1
            finally:
                call("echo")


        async def consume():
            async for _ in produce():
                break


        asyncio.run(consume())
        """,
        weight=0.5,
    ),
    Part(
        "sys.excepthook of its own",
        """
        def on_exception(kind, error, trace):
            print("unhandled:", kind.__name__)


        sys.excepthook = on_exception
        """,
        group="excepthook",
    ),
    Part(
        "sys.excepthook reports over Ice",
        """
        def report(kind, error, trace):
            try:
                call("echo")
                print("reported:", kind.__name__)
            except Ice.Exception as failed:
                print("failed: not reported,", type(failed).__name__)


        sys.excepthook = report
        """,
        group="excepthook",
    ),
    Part(
        "a weak reference's callback calls",
        """
        class Referred:
            pass


        def on_death(reference):
            try:
                call("echo")
            except Exception:
                pass


        referred = Referred()
        reference = weakref.ref(referred, on_death)
        """,
        weight=0.7,
    ),
]
