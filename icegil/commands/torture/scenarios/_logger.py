"""A logger in Python, and the properties that have Ice use it all the time."""

import Ice

TRACING = {"Ice.Trace.Protocol": 2, "Ice.Trace.Network": 3}


class Logger(Ice.Logger):
    """Keeps what it is given."""

    def __init__(self):
        self.messages = []

    def trace(self, category, message):
        self.messages.append((category, message))

    def print(self, message):
        self.messages.append(message)

    _print = warning = error = print

    def getPrefix(self):
        return ""

    def cloneWithPrefix(self, prefix):
        return self
