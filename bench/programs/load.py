"""The client of servers that are measured: sends ready-made requests through plain sockets.

A client made with Ice for Python would take more time than the servant, and the bench would measure the client. For
each number that comes on standard input, that many requests are answered before the line `done` goes out.
"""

import selectors
import socket
import struct
import sys

CONNECTIONS = 8

# The Ice protocol, version 1.0, little-endian: magic, protocol and encoding version, type, no compression, size.
HEADER = struct.Struct("<4s4BBBi")
REQUEST, VALIDATE_CONNECTION = 0, 3
EMPTY_ENCAPSULATION = struct.pack("<iBB", 6, 1, 1)
REPLY_SIZE = HEADER.size + struct.calcsize("<iB") + len(EMPTY_ENCAPSULATION)


def message(kind, body):
    return HEADER.pack(b"IceP", 1, 0, 1, 0, kind, 0, HEADER.size + len(body)) + body


def text(value):
    return bytes([len(value)]) + value.encode()


def request():
    """Two-way, to `echo` with an empty category, no facet, operation `echo`, mode Normal, no context."""
    target = text("echo") + text("") + bytes([0]) + text("echo") + bytes([0, 0])
    return message(REQUEST, struct.pack("<i", 1) + target + EMPTY_ENCAPSULATION)


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port))
    greeting = connection.recv(HEADER.size, socket.MSG_WAITALL)
    if greeting != message(VALIDATE_CONNECTION, b""):
        sys.exit(f"not an Ice server: {greeting!r}")
    connection.setblocking(False)
    return connection


def exchange(connections, count):
    """Sends this many requests, spread over the connections, and reads as many replies."""
    selector = selectors.DefaultSelector()
    one = request()
    to_send, to_read = {}, {}
    for i, connection in enumerate(connections):
        share = count // len(connections) + (i < count % len(connections))
        to_send[connection], to_read[connection] = memoryview(one * share), share * REPLY_SIZE
        if share:
            selector.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
    while selector.get_map():
        for key, events in selector.select():
            connection = key.fileobj
            if events & selectors.EVENT_WRITE:
                to_send[connection] = to_send[connection][connection.send(to_send[connection][:65536]) :]
                if not to_send[connection]:
                    selector.modify(connection, selectors.EVENT_READ)
            if events & selectors.EVENT_READ:
                received = len(connection.recv(1 << 20))
                to_read[connection] -= received
                if not received:
                    sys.exit("the server closed a connection")
                if not to_read[connection]:
                    selector.unregister(connection)


def main():
    connections = [connect(int(sys.argv[1])) for _ in range(CONNECTIONS)]
    for line in sys.stdin:
        exchange(connections, int(line))
        print("done", flush=True)


main()
