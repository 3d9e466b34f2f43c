"""Debian in a directory: roots that debootstrap makes, and commands that run in them. Only root can make one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

MIRROR = "http://deb.debian.org/debian"
CERTIFICATES = Path("etc/ssl/certs/ca-certificates.crt")
FORMATS = Path("/proc/sys/fs/binfmt_misc")
"""Where the kernel says for which kinds of programs it asks another one."""


class Skipped(Exception):
    """Why something cannot be had here."""


def quietly(*words: str) -> None:
    """Runs a command; `Skipped` with what it said if it fails."""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-300:]
        raise Skipped(f"{' '.join(word for word in words if '$' not in word)[:120]} ... failed: {said}")


def inside(root: Path, *, seen: Sequence[Path] = (), has_network: bool = True) -> tuple[str, ...]:
    """What runs a command in a root, with mounts that go when the command ends, however it ends.

    `seen` are directories of the host that are seen there, to be read only, under the names that they have here.
    Without a network there is the loopback device alone. In this machine's own namespace a mount could be left behind,
    and who then deletes the clone deletes what is in /dev.
    """
    loopback = "" if has_network else "ip link set lo up && "
    binds = "".join(f'mkdir -p "$0{path}" && mount --bind -o ro "{path}" "$0{path}" && ' for path in seen)
    mounts = f'{loopback}mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && {binds}exec chroot "$0" "$@"'
    return ("unshare", "--mount", *([] if has_network else ["--net"]), "sh", "-c", mounts, str(root))


def make(root: Path, suite: str, packages: Sequence[str], architecture: str = "") -> None:
    """Makes the root, and installs in it what is not there yet.

    `architecture`: another than this machine's, whose programs run under qemu.
    """
    if os.geteuid() != 0:
        raise Skipped("a root of Debian can only be made by root")
    if not root.exists():
        if shutil.which("debootstrap") is None:
            raise Skipped("debootstrap is not installed: apt-get install debootstrap")
        half_made = root.with_suffix(".part")
        shutil.rmtree(half_made, ignore_errors=True)
        half_made.parent.mkdir(parents=True, exist_ok=True)
        foreign = ["--foreign", f"--arch={architecture}"] if architecture else []
        bootstrap = ("unshare", "--mount", "debootstrap", *foreign, "--variant=minbase", suite, str(half_made), MIRROR)
        quietly(*bootstrap)
        if foreign:
            quietly(*inside(half_made), "/debootstrap/debootstrap", "--second-stage")
        half_made.rename(root)
    shutil.copy2("/etc/resolv.conf", root / "etc/resolv.conf")
    if Path("/", CERTIFICATES).exists():  # this machine's network may have an authority of its own
        (root / CERTIFICATES).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(Path("/", CERTIFICATES), root / CERTIFICATES)
    apt = (*inside(root), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq")
    install = (*apt, "install", "-y", "--no-install-recommends", *packages)
    try:
        quietly(*install)
    except Skipped:  # the lists of packages may be old, or an installation was broken off
        quietly(*inside(root), "dpkg", "--configure", "-a")
        quietly(*apt, "-o", "Acquire::Check-Valid-Until=false", "update")  # a mirror may be behind
        quietly(*install)
    quietly(*apt, "clean")


def emulate(processor: str) -> None:
    """Has the kernel run programs of another processor under qemu; nothing if it does already."""
    if (FORMATS / f"qemu-{processor}").exists():
        return
    if shutil.which("update-binfmts") is None or shutil.which(f"qemu-{processor}-static") is None:
        raise Skipped("qemu is not installed: apt-get install qemu-user-static binfmt-support")
    if not (FORMATS / "register").exists():
        quietly("mount", "-t", "binfmt_misc", "binfmt_misc", str(FORMATS))
    quietly("update-binfmts", "--enable", f"qemu-{processor}")
