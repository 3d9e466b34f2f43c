"""Logging over Ice, and loggers that Ice uses."""

from __future__ import annotations

from tools.differ.part import Part

HANDLER = """
class OverIce(logging.Handler):
    target = None

    def emit(self, record):
        try:
            if self.target is not None:
                self.target.ice_invoke("log", *self.how)
        except Exception:
            pass


over_ice = OverIce()
logging.getLogger("program").addHandler(over_ice)
logging.getLogger("program").propagate = False
"""
CONNECTED = """
over_ice.how = NORMAL, EMPTY
over_ice.target = proxy
logging.getLogger("program").error("begun")
"""
TRACING = 'settings.update({"Ice.Trace.Protocol": {{1|2}}, "Ice.Trace.Network": {{1|3}}})\n'
LOGGER = """
class Logger(Ice.Logger):
    def __init__(self):
        self.messages = []

    def trace(self, category, message):
        self.messages.append(message)

    def print(self, message):
        self.messages.append(message)

    _print = warning = error = print

    def getPrefix(self):
        return ""

    def cloneWithPrefix(self, prefix):
        return self


"""

PARTS = [
    Part("a logging handler calls", CONNECTED, early=HANDLER, group="handler"),
    Part(
        "a daemon thread logs over Ice in a loop",
        CONNECTED
        + """

def log_on():
    while True:
        logging.getLogger("program").error("still here")
        time.sleep({{0|0|0.001}})


threading.Thread(target=log_on, daemon=True).start()
""",
        early=HANDLER,
        group="handler",
        weight=2,
    ),
    Part(
        "the last log records are sent at exit",
        """
        operations["keep records"] = lambda: print("records were kept", flush=True)
        for_later.send = lambda: call("keep records")
        logging.getLogger("later").error("one")
        """,
        early="""
        import logging.handlers


        class ForLater(logging.handlers.MemoryHandler):
            def flush(self):
                if self.buffer and hasattr(self, "send"):
                    try:
                        self.send()
                    except Exception as error:
                        print("failed: records were lost,", type(error).__name__)
                    self.buffer.clear()


        for_later = ForLater(100, flushLevel=1000)
        logging.getLogger("later").addHandler(for_later)
        logging.getLogger("later").propagate = False
        """,
        weight=1.5,
    ),
    Part(
        "a queue listener logs over Ice",
        """
        class Sender(logging.Handler):
            def emit(self, record):
                try:
                    call("echo")
                except Exception:
                    pass


        import logging.handlers

        records = queue.SimpleQueue()
        logging.getLogger("queued").addHandler(logging.handlers.QueueHandler(records))
        logging.getLogger("queued").propagate = False
        listener = logging.handlers.QueueListener(records, Sender())
        listener.start()
        {{atexit.register(listener.stop)|pass}}
        for _ in range(20):
            logging.getLogger("queued").warning("something")
        """,
    ),
    Part(
        "all that Python logs goes to stderr",
        'logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")\nlogging.info("begun")',
        stderr=("root: begun", "icegil: .*"),
        group="stderr",
        weight=0.5,
    ),
    Part("a Python logger", data=LOGGER + "data.logger = Logger()\n", group="logger"),
    Part(
        "a Python logger, and tracing",
        data=LOGGER + "data.logger = Logger()\n" + TRACING,
        group="logger",
        weight=1.5,
    ),
    Part("a Python logger for the process", data=LOGGER + "Ice.setProcessLogger(Logger())\n" + TRACING, group="logger"),
    Part(
        "a logger that logs with Python's logging",
        data=LOGGER
        + """
class Bridge(Logger):
    def print(self, message):
        logging.getLogger("ice").debug(message)

    def trace(self, category, message):
        logging.getLogger("ice").debug(message)

    _print = warning = error = print


data.logger = Bridge()
"""
        + TRACING,
        group="logger",
    ),
    Part(
        "a logger that prints",
        data=LOGGER
        + """
class Printer(Logger):
    def trace(self, category, message):
        with contextlib.suppress(Exception):  # what a logger raises ends the process
            print("trace", len(message))


data.logger = Printer()
"""
        + TRACING,
        group="logger",
        weight=0.7,
    ),
    Part(
        "tracing into a file",
        data=TRACING + 'settings["Ice.LogFile"] = "/dev/null"\n',
        group="logger",
        weight=0.5,
    ),
]
