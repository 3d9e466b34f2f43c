"""Somebody who comes to a Mumble server and writes: as much of Mumble's protocol as that takes."""

from __future__ import annotations

import socket
import ssl
import struct

VERSION, AUTHENTICATE, TEXT_MESSAGE = 0, 2, 11
HEADER = struct.Struct(">HI")  # the kind of message, its length; then a message of protobuf
ROOT_CHANNEL = 0


def number(value: int) -> bytes:
    more = value >> 7
    return bytes([value & 0x7F | 0x80]) + number(more) if more else bytes([value])


def int_field(key: int, value: int) -> bytes:
    return number(key << 3) + number(value)


def text_field(key: int, text: str) -> bytes:
    return number(key << 3 | 2) + number(len(text.encode())) + text.encode()


def text_in(message: bytes, key: int) -> str:
    """A text of a message whose fields are numbers and texts."""
    at = 0

    def take() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    while at < len(message):
        tag = take()
        value = take()
        if tag & 7 == 2:
            if tag >> 3 == key:
                return message[at : at + value].decode()
            at += value
    return ""


class Visitor:
    """Is on the server as long as the context lasts."""

    def __init__(self, port: int, name: str, within: float) -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE  # the server has made its certificate itself
        self._socket = tls.wrap_socket(socket.create_connection(("127.0.0.1", port), within))
        self._send(VERSION, int_field(1, 0x010304) + text_field(2, "visitor"))
        self._send(AUTHENTICATE, text_field(1, name) + int_field(5, 1))

    def write(self, text: str) -> None:
        """Writes to all who are in the root channel."""
        self._send(TEXT_MESSAGE, int_field(3, ROOT_CHANNEL) + text_field(5, text))

    def read(self) -> str:
        """The next text that somebody writes."""
        while True:
            kind, length = HEADER.unpack(self._receive(HEADER.size))
            message = self._receive(length)
            if kind == TEXT_MESSAGE:
                return text_in(message, 5)

    def _send(self, kind: int, message: bytes) -> None:
        self._socket.sendall(HEADER.pack(kind, len(message)) + message)

    def _receive(self, length: int) -> bytes:
        received = b""
        while len(received) < length:
            part = self._socket.recv(length - len(received))
            if not part:
                raise ConnectionError("the server has hung up")
            received += part
        return received

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
