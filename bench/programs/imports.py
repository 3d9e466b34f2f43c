"""How long importing icegil takes when Ice is imported already, and installing it; in milliseconds."""

import json
import time

marks = [time.perf_counter()]

import Ice  # noqa: E402, F401

marks.append(time.perf_counter())

import icegil  # noqa: E402

marks.append(time.perf_counter())

icegil.install(mode="guard")
marks.append(time.perf_counter())

names = ("import_ice_ms", "import_icegil_ms", "install_ms")
print(json.dumps({name: 1e3 * (marks[i + 1] - marks[i]) for i, name in enumerate(names)}))
