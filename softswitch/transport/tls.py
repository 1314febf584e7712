"""Certificates for SIP over TLS: the administrator's, or one of our own making.

TLS 1.2 at least (RFC 8446, RFC 9325).  Phones of an office seldom check whom they talk
to; a certificate made at first start lets them encrypt before anybody has bought one.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE = timedelta(days=3650)


def server_context(certificate: Path, key: Path | None = None) -> ssl.SSLContext:
    """For listeners.  Raises OSError (ssl.SSLError is one) where the files do not serve."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context


def client_context(authorities: Path | None = None, *, verify: bool = True) -> ssl.SSLContext:
    """For connections of ours; `authorities` None means those that the system believes."""
    context = ssl.create_default_context(cafile=None if authorities is None else str(authorities))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def own_certificate(folder: Path, names: Sequence[str]) -> tuple[Path, Path]:
    """The files of a certificate for `names` (hosts and addresses), made where missing.

    Only the owner may read the key.  What is there is kept, whatever names it bears,
    since phones may have been told to trust it.
    """
    certificate, key = folder / "sip.crt", folder / "sip.key"
    if not (certificate.exists() and key.exists()):
        secret = ec.generate_private_key(ec.SECP256R1())
        pem = secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        folder.mkdir(parents=True, exist_ok=True)
        key.touch(mode=0o600)
        key.write_bytes(pem)
        certificate.write_bytes(_sign(secret, names).public_bytes(Encoding.PEM))
    return certificate, key


def _sign(secret: ec.EllipticCurvePrivateKey, names: Sequence[str]) -> x509.Certificate:
    """A certificate that vouches for itself."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # phones' clocks are late
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectAlternativeName([_alternative(n) for n in names]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .sign(secret, SHA256())
    )


def _alternative(name: str) -> x509.GeneralName:
    with suppress(ValueError):
        return x509.IPAddress(ip_address(name))
    return x509.DNSName(name)
