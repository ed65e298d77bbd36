"""The server's side of TLS, with the files that the site names and one of the simulator's own beside them."""

from __future__ import annotations

import ssl
from pathlib import Path

OWN = "simulator.pem"
"""The simulated devices' certificate and key in one file, beside the site's ``ca``."""


def server_context(ca: Path, asks_who: bool) -> ssl.SSLContext:
    """TLS 1.2 or later; ``asks_who``: a client must show a certificate that ``ca`` signed. Raises OSError."""
    own = ca.parent / OWN
    if not own.is_file():
        raise FileNotFoundError(f"{own}: the simulated devices need a certificate and its key, in this file")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(own)
    if asks_who:
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
