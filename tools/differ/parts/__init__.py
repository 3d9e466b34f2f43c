"""All parts, a file for each subject."""

from __future__ import annotations

from tools.differ.parts import (
    clients,
    farewells,
    hooks,
    interpreter,
    logs,
    processes,
    servants,
    signals,
    streams,
    threads,
)

PARTS = [
    *threads.PARTS,
    *logs.PARTS,
    *farewells.PARTS,
    *streams.PARTS,
    *servants.PARTS,
    *clients.PARTS,
    *hooks.PARTS,
    *processes.PARTS,
    *signals.PARTS,
    *interpreter.PARTS,
]
