"""Asks a web server for its pages, from several threads, while it is started, reloaded and stopped."""

import http.client
import threading
from collections import Counter

from deployment import WITHIN, wait_until


class Requests:
    """Asks a server for its page, from several threads, until it is gone. A page is the id of the process."""

    def __init__(self, port: int, at_once: int = 4) -> None:
        self._port = port
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(at_once)]
        self.pages: Counter[str] = Counter()
        self.refused: list[int] = []
        """The status of each page that was not answered with 200."""

    def _ask(self) -> None:
        while not self._is_over.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=WITHIN)
            try:
                connection.request("GET", "/", headers={"Connection": "close"})
                response = connection.getresponse()
                page = response.read().decode()
            except (OSError, http.client.HTTPException):  # it is not there yet, or no more
                self._is_over.wait(0.02)
                continue
            finally:
                connection.close()
            if response.status == 200:
                self.pages[page] += 1
            else:
                self.refused.append(response.status)

    def wait_for_pages(self, count: int, processes: int, others: frozenset[str] = frozenset()) -> None:
        """Waits until so many processes have sent so many pages together, some processes not counted."""

        def has_come() -> bool:
            senders = {*self.pages} - others
            return len(senders) >= processes and sum(self.pages[each] for each in senders) >= count

        wait_until(has_come, f"{count} pages from {processes} processes")

    def end(self) -> None:
        """Asks no more. Those that were asked for have come then."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> "Requests":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
