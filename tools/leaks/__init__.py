"""What each kind of operation keeps that the program has let go of, plain and under icegil: `make leaks`.

The kinds (`operations/`) are measured each in a child process of its own (`child.py`), window by window
(`measuring.py`), by what the process has at rest (`memory.py`). The parent runs the children (`children.py`), judges
(`results.py`) and shows (`table.py`).
"""
