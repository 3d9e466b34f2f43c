"""Random programs, run plain and under icegil, and what is to be said of the difference: `make differ`.

A program is put together from parts (`parts/`), a way to destroy its communicators (`destructions.py`) and an ending
whose exit status is known (`endings.py`); a seed decides which (`program.py`). Both sides run in child processes
(`trial.py`) and are compared (`judging.py`); a program that fails is reduced to what it takes (`reduction.py`).
"""
