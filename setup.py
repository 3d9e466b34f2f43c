"""What pyproject.toml has no words for: the extension, headers that are installed as data, files for Python's start.

With `ICEGIL_PURE=1` in the environment the extension is left out.
"""

import os
import sys
import sysconfig
from glob import glob

from Cython.Build import cythonize
from setuptools import Extension, find_namespace_packages, setup
from setuptools.command.build_py import build_py

DEBUG = os.environ.get("ICEGIL_DEBUG") == "1"
# For tools/sanitize.py, which builds into a place of its own: such an extension loads only beside libasan. CPython has
# extensions compiled with -fwrapv, with which no overflow of signed numbers is reported.
SANITIZE = ["-fsanitize=address,undefined", "-fno-omit-frame-pointer", "-fno-wrapv"]
IS_SANITIZED = os.environ.get("ICEGIL_SANITIZE") == "1"

# The headers stand outside the package, where C++ includes them from, and are installed inside it, so that whoever
# compiles against an installed icegil finds them.
HEADERS = "icegil.include.icegil"


def can_be_compiled() -> bool:
    """Whether this is a platform of the guard. Elsewhere no compiler is needed: the boundary is Python then."""
    if os.environ.get("ICEGIL_PURE") == "1" or sys.platform != "linux" or sys.implementation.name != "cpython":
        return False
    if sysconfig.get_config_var("Py_GIL_DISABLED"):  # importing IcePy turns the GIL on there, and nobody has tried more
        return False
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (ValueError, OSError):  # musl
        return False


def bridge(name: str, macros: list[tuple[str, str]]) -> Extension:
    """The boundary, as an extension of this name."""
    return Extension(
        f"icegil.{name}",
        sources=[f"icegil/{name}.pyx"],
        language="c++",
        include_dirs=["include"],
        depends=sorted(glob("include/icegil/*.hpp") + glob("icegil/*.p*") + glob("icegil/bridge/*")),
        define_macros=[*macros, *([("ICEGIL_DEBUG", "1")] if DEBUG else [])],
        # What is called once, at a first callback say, stays out of line: every callback runs through the rest.
        extra_compile_args=[
            "-std=c++17",
            "-O1" if DEBUG else "-O2",
            "-g",
            "-fvisibility=hidden",
            "-fno-inline-functions-called-once",
            "-fno-plt",
            *(SANITIZE if IS_SANITIZED else []),
        ],
        extra_link_args=SANITIZE if IS_SANITIZED else [],
    )


class BuildPython(build_py):
    """Puts beside the package what Python reads as it starts: setuptools knows no such files."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for source, built in self._startup_files().items():
                self.copy_file(source, built)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return [*super().get_outputs(include_bytecode), *self._startup_files().values()]

    def get_source_files(self) -> list[str]:
        return [*super().get_source_files(), *self._startup_files()]

    def _startup_files(self) -> dict[str, str]:
        return {each: os.path.join(self.build_lib, os.path.basename(each)) for each in glob("startup/icegil.*")}


# The second is loaded where there is no room for the first (icegil/boundary.py). Debug builds have no use for it.
bridges = [bridge("_bridge", [])] if can_be_compiled() else []
if bridges and not (DEBUG or IS_SANITIZED):
    bridges.append(bridge("_bridge_anywhere", [("ICEGIL_WITHOUT_STATIC_TLS", "1")]))

setup(
    # Namespace packages too: the torture scenarios are programs in a directory without __init__.py.
    packages=[*find_namespace_packages(include=["icegil", "icegil.*"], exclude=["*.__pycache__"]), HEADERS],
    package_dir={HEADERS: "include/icegil"},
    py_modules=["icegil_startup"],
    cmdclass={"build_py": BuildPython},
    package_data={
        "icegil": ["py.typed", "*.pxd", "*.pyi"],
        "icegil.bridge": ["*.pxd"],
        "icegil.commands.timeline": ["page.js"],
        HEADERS: ["*.hpp"],
    },
    # Generated C++ stays out of the source tree.
    ext_modules=cythonize(bridges, build_dir="build/cython") if bridges else [],
)
