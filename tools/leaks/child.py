"""The measured process: `python -m tools.leaks.child MODULE NAME COUNT WINDOWS`, as it is or under `icegil run`."""

from __future__ import annotations

import importlib
import json
import sys

from tools.leaks.measuring import measure
from tools.leaks.operation import OPERATIONS


def main() -> None:
    module, name, count, windows = sys.argv[1:]
    importlib.import_module(module)
    kept = measure(OPERATIONS[name], int(count), int(windows))
    print(json.dumps(kept.as_json()), flush=True)


if __name__ == "__main__":
    main()
