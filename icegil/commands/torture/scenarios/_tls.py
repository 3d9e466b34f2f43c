"""A certificate for this machine, made on the spot."""

import contextlib
import pathlib
import subprocess
import tempfile

import Ice

COMMAND = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"


@contextlib.contextmanager
def certificate():
    """Properties that have Ice use the certificate on both sides; its files are there until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = pathlib.Path(folder, "certificate.pem"), pathlib.Path(folder, "key.pem")
        subprocess.run([*COMMAND.split(), "-out", certificate, "-keyout", key], check=True, stderr=subprocess.DEVNULL)
        plug_in = {"Ice.Plugin.IceSSL": "IceSSL:createIceSSL"} if Ice.intVersion() < 30800 else {}
        files = {"IceSSL.CertFile": certificate, "IceSSL.KeyFile": key}
        if Ice.intVersion() < 30700:  # both in one file
            key.write_text(key.read_text() + certificate.read_text())
            files = {"IceSSL.CertFile": key}
        yield {**plug_in, **files, "IceSSL.CAs": certificate}
