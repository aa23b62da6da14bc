"""Certificates of an authority of the tests' own. Proves nothing to anybody else."""

import datetime as dt
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass
class Certificate:
    """A certificate and its key, as PEM, and the certificate of the authority that made it."""

    text: bytes
    key: bytes
    authority: bytes


def certificate(host):
    """Return a new certificate for the name of a host, by a new authority."""
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root, name = _named(f"authority {x509.random_serial_number()}"), _named(host)
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    signed_root = _builder(root, root, authority).add_extension(constraints, critical=True)
    names = x509.SubjectAlternativeName([x509.DNSName(host)])
    signed = _builder(name, root, key).add_extension(names, critical=False)
    return Certificate(
        text=_pem(signed.sign(authority, hashes.SHA256())),
        key=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        authority=_pem(signed_root.sign(authority, hashes.SHA256())),
    )


def _builder(subject, issuer, key):
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))


def _named(name):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _pem(made):
    return made.public_bytes(serialization.Encoding.PEM)
