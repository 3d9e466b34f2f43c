"""Standard streams: closed, taken away, replaced, waited for."""

from __future__ import annotations

from tools.differ.part import Part

PARTS = [
    Part("sys.stdout is closed", "sys.stdout.close()", group="stdout"),
    Part("sys.stdout is None", "sys.stdout = None", group="stdout"),
    Part("sys.stdout is something else", "sys.stdout = io.StringIO()", group="stdout", weight=0.5),
    Part(
        "sys.stdout is an object of the program's",
        """
        class Writer:
            def write(self, text):
                return os.write(1, text.encode())

            def flush(self):
                pass


        sys.stdout = Writer()
        """,
        group="stdout",
        weight=0.5,
    ),
    Part("both names of stdout are None", "sys.stdout = sys.__stdout__ = None", group="stdout", weight=0.5),
    Part("sys.stderr is closed", "sys.stderr.close()", group="stderr", weight=0.7),
    Part("sys.stderr is None", "sys.stderr = None", group="stderr", weight=0.7),
    Part("sys.stderr is written to a file", "sys.stderr = open(os.devnull, 'w')", group="stderr", weight=0.5),
    Part("something is left unflushed", "sys.stdout and not sys.stdout.closed and sys.stdout.write('last words\\n')"),
    Part(
        "stdout is full of unflushed text",
        "sys.stdout and not sys.stdout.closed and sys.stdout.write('line\\n' * 3000 + 'all lines\\n')",
        weight=0.7,
    ),
    Part(
        "a daemon thread prints in a loop",
        """
        def print_on():
            number = 0
            while True:
                print("line" if number % 100 else "hundredth line")
                number += 1
                time.sleep({{0|0.0001}})


        threading.Thread(target=print_on, daemon=True).start()
        """,
        prints=True,
        stderr=("Fatal Python error: _enter_buffered_busy.*",),
        weight=0.7,
    ),
    Part(
        "a daemon thread is in input() on a terminal",
        """
        keyboard, terminal = os.openpty()
        shown = subprocess.Popen(["cat"], stdin=keyboard, stderr=subprocess.DEVNULL)
        os.close(keyboard)
        os.dup2(terminal, 0)
        os.dup2(terminal, 1)
        os.set_inheritable(terminal, False)
        threading.Thread(target=input, daemon=True).start()
        time.sleep(0.02)
        """,
        stderr=(".*ResourceWarning: subprocess .* is still running", "  .*"),
        group="stdin",
        weight=0.7,
    ),
    Part(
        "a daemon thread is in getchar()",
        """
        can_read, can_write = os.pipe()
        os.dup2(can_read, 0)
        threading.Thread(target=ctypes.CDLL(None).getchar, daemon=True).start()
        time.sleep(0.01)
        """,
        group="stdin",
        weight=0.7,
    ),
    Part(
        "faulthandler watches",
        "faulthandler.dump_traceback_later(60, file=open(os.devnull, 'w'))",
        stderr=(".*ResourceWarning: unclosed file.*", "  .*"),
        weight=0.3,
    ),
]
