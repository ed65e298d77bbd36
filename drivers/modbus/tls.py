"""The TLS side of Modbus/TCP Security: who the server is, and who we are where it asks."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from drivers.api import BindFailed
from drivers.modbus.ends import Tls
from drivers.modbus.exchange import cause_of


def client_context(files: Tls) -> ssl.SSLContext:
    """TLS 1.2 or later, the server's certificate and name checked. Raises BindFailed that names the file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cafile=_readable("ca", files.ca))
    except ssl.SSLError as error:
        raise BindFailed(f"tls: {files.ca} holds no certificate ({cause_of(error)})") from error
    if files.cert is not None:
        key = None if files.key is None else _readable("key", files.key)
        try:
            context.load_cert_chain(_readable("cert", files.cert), key, password=_no_password)
        except ssl.SSLError as error:
            pair = f"{files.cert} and {files.key}" if files.key else str(files.cert)
            raise BindFailed(f"tls: {pair} are no certificate with its key ({cause_of(error)})") from error
    return context


def _no_password() -> str:
    """Instead of OpenSSL's question at the terminal: an encrypted key is of no use to a daemon."""
    return ""


def _readable(which: str, path: Path) -> Path:
    """OpenSSL does not say which of its files it misses."""
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise BindFailed(f"tls: {which} {path}: {os.strerror(error.errno or 0).lower()}") from error
