"""The two ends of TLS at the gate, where a CA file decides whom to trust.

Chromium has no setting for a CA file, so its TLS is ended here, under a key made for
this one gate, and opened again towards the site. Both speak HTTP/1.1: one side cannot
know in time what the other would choose.
"""

import base64
import hashlib
import ssl
from pathlib import Path
from typing import Final

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from phx_pipeline.errors import TransientError
from phx_pipeline.fetch.clients.browser.line import Line, over_tls
from phx_pipeline.fetch.clients.browser.upstream import url_of
from phx_pipeline.fetch.clients.wire import trusted

_ALPN: Final = ("http/1.1",)
# Chromium is told to accept the key, whatever name is on it.
_NAME: Final = "gate.invalid"


class TLSEnds:
    """What the browser and the sites see of TLS.

    Attributes:
        spki: the hash of our key, as `spki_sha256` makes it.

    Raises:
        InputError: *ca_file* does not exist.
    """

    def __init__(self, ca_file: Path) -> None:
        leaf = trustme.CA().issue_cert(_NAME)
        self.spki = spki_sha256(leaf.cert_chain_pems[0].bytes())
        self._ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ours.set_alpn_protocols(list(_ALPN))
        leaf.configure_cert(self._ours)
        self._theirs = ssl.create_default_context(cafile=trusted(ca_file))
        self._theirs.set_alpn_protocols(list(_ALPN))

    async def facing_browser(self, line: Line) -> Line:
        """Return *line* with us as its server; `OSError` if that fails."""
        return await over_tls(line, self._ours, server_name=None)

    async def facing_site(self, line: Line, host: str) -> Line:
        """Return *line*, which leads to *host*, with TLS checked against the CA file.

        Raises:
            TransientError: the certificate is not trusted or not of *host*, or there
                was no handshake; *line* is cut.
        """
        try:
            return await over_tls(line, self._theirs, server_name=host)
        except ssl.SSLCertVerificationError as error:
            told = "the TLS certificate is not trusted"
            raise TransientError(told, url=url_of(host)) from error
        except OSError as error:
            told = "the TLS handshake failed"
            raise TransientError(told, url=url_of(host)) from error


def spki_sha256(pem: bytes) -> str:
    """Return the hash of a certificate's key as Chromium's command line wants it."""
    key = x509.load_pem_x509_certificate(pem).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(spki).digest()).decode("ascii")
