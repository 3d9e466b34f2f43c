"""A logging handler that sends each record over Ice."""

import logging

import Ice


class OverIce(logging.Handler):
    """Hands each message to a proxy, with the handler's lock held as in any handler; says so when that fails."""

    def __init__(self, proxy, gone=()):
        super().__init__()
        self.proxy = proxy
        self.gone = gone  # exceptions that mean that nobody is there to take the message, which is no failure
        self.delivered = 0

    def send(self, message):
        self.proxy.ice_invoke("log", Ice.OperationMode.Normal, b"", {"message": message})

    def emit(self, record):
        try:
            self.send(record.getMessage())
            self.delivered += 1
        except self.gone:
            pass
        except Exception:
            self.handleError(record)
