"""A small certificate authority for the TLS between participants and broker.

Rules:
1. One issuing authority; it signs nothing but end certificates (path length 0).
2. A certificate's subject is exactly `CN=<name>`, for participants `CN=<code>`: the broker takes its
   principal from it. Any other subject maps to nobody there.
3. Keys are EC P-256, in one PEM file with the certificate and the authority's (PKCS#8, mode 0600): the form
   that Kafka's PEM key store and Python's `load_cert_chain` both read. They are made here, or by whoever
   hands in a request (PKCS#10), whose key may also be P-384.
4. The time is given, and validity begins five minutes before it, since clocks differ.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tongbao_broker.errors import BadConfiguration, Words
from tongbao_broker.trust.keys import write_private

__all__ = [
    "CA_DAYS",
    "CertificateAuthority",
    "CertificateFacts",
    "certified_key",
    "check_request",
    "read_certificate",
    "request_certificate",
]

CA_DAYS = 3650
CURVES = (ec.SECP256R1, ec.SECP384R1)
_CERTIFICATE = "ca.pem"
_KEY = "ca-key.pem"
_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a certificate says of itself; `subject` as RFC 4514 writes it, such as `CN=520000`."""

    subject: str
    valid_from: datetime
    valid_until: datetime


def read_certificate(pem: bytes, authority: bytes) -> CertificateFacts:
    """The first certificate in `pem`, which the first one in `authority` (PEM) must have issued.

    Raises BadConfiguration.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    except (ValueError, TypeError):
        raise BadConfiguration(
            Words("不是该 CA 签发的 PEM 证书", "no PEM certificate that this authority issued")
        ) from None
    except InvalidSignature:
        raise BadConfiguration(Words("证书不是该 CA 签发的", "another authority issued it")) from None
    return CertificateFacts(
        certificate.subject.rfc4514_string(),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )


def request_certificate(common_name: str) -> tuple[bytes, bytes]:
    """A new private key (PKCS#8 PEM) and the request to have it certified (PKCS#10 PEM, RFC 2986)."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(_subject(common_name)).sign(key, SHA256())
    return _private_pem(key), request.public_bytes(Encoding.PEM)


def check_request(pem: bytes, common_name: str) -> None:
    """Raises BadConfiguration unless this is a request for `CN=<common_name>`, signed with its key."""
    _requested_key(pem, common_name)


def _requested_key(pem: bytes, common_name: str) -> ec.EllipticCurvePublicKey:
    try:
        request = x509.load_pem_x509_csr(pem)
        key, signed = request.public_key(), request.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadConfiguration(Words("不是 PKCS#10 证书申请", "no PKCS#10 certificate request")) from None
    if not signed or request.subject != _subject(common_name):
        raise BadConfiguration(
            Words(
                f"证书申请须由自己的密钥签名，主体为 CN={common_name}",
                f"a certificate request is signed with its own key, for CN={common_name}",
            )
        )
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, CURVES):
        raise BadConfiguration(
            Words("证书密钥须为 EC P-256 或 P-384", "certified keys are EC P-256 or P-384")
        )
    return key


def certified_key(pem: bytes) -> bytes:
    """The public key (SubjectPublicKeyInfo, DER) in a certificate or in a request for one.

    Raises BadConfiguration.
    """
    try:
        holder: x509.Certificate | x509.CertificateSigningRequest
        if b"CERTIFICATE REQUEST" in pem:
            holder = x509.load_pem_x509_csr(pem)
        else:
            holder = x509.load_pem_x509_certificate(pem)
        return holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadConfiguration(Words("不是 PEM 证书或证书申请", "no certificate or request in PEM")) from None


class CertificateAuthority:
    """The issuing authority: its certificate and key."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self._certificate = certificate
        self._key = key

    @classmethod
    def create(cls, folder: Path, *, now: datetime, name: str = "Tongbao CA") -> "CertificateAuthority":
        """Make a new authority and keep it in `folder` as `ca.pem` and `ca-key.pem`."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(name)
        certificate = _sign(
            _builder(subject, subject, key.public_key(), now, CA_DAYS),
            [
                (x509.BasicConstraints(ca=True, path_length=0), True),
                (_key_usage(certificates=True), True),
                (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
            ],
            key,
        )
        write_private(folder / _KEY, _private_pem(key))
        (folder / _CERTIFICATE).write_bytes(certificate.public_bytes(Encoding.PEM))
        return cls(certificate, key)

    @classmethod
    def load(cls, folder: Path) -> "CertificateAuthority":
        """The authority that `create` left in `folder`; raises `BadConfiguration`."""
        try:
            certificate = x509.load_pem_x509_certificate((folder / _CERTIFICATE).read_bytes())
            key = load_pem_private_key((folder / _KEY).read_bytes(), password=None)
        except (OSError, ValueError, TypeError):
            raise BadConfiguration(
                Words(f"{folder.name} 中没有证书颁发机构", f"no certificate authority in {folder.name}")
            ) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise BadConfiguration(Words(f"{_KEY} 不是 EC 私钥", f"{_KEY} holds no EC key"))
        return cls(certificate, key)

    @property
    def pem(self) -> bytes:
        """The authority's certificate, which everybody trusts."""
        return self._certificate.public_bytes(Encoding.PEM)

    def issue(self, common_name: str, *, now: datetime, days: int, hosts: Sequence[str] = ()) -> bytes:
        """A new key with its certificate and the authority's, as one PEM.

        `hosts` are the DNS names and IP addresses that a server answers under.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        return _private_pem(key) + self._certificate_for(key.public_key(), common_name, now, days, hosts)

    def certify(self, request: bytes, common_name: str, *, now: datetime, days: int) -> bytes:
        """The certificate that a request (PKCS#10 PEM) asks for, and the authority's, as one PEM.

        Raises BadConfiguration.
        """
        return self._certificate_for(_requested_key(request, common_name), common_name, now, days, ())

    def _certificate_for(
        self,
        public: ec.EllipticCurvePublicKey,
        common_name: str,
        now: datetime,
        days: int,
        hosts: Sequence[str],
    ) -> bytes:
        builder = _builder(_subject(common_name), self._certificate.subject, public, now, days)
        certificate = _sign(builder, self._end_extensions(public, hosts), self._key)
        return certificate.public_bytes(Encoding.PEM) + self.pem

    def issue_to(
        self, path: Path, common_name: str, *, now: datetime, days: int, hosts: Sequence[str] = ()
    ) -> None:
        """Issue into the file `path`, with the authority's certificate beside it as `ca.pem`."""
        write_private(path, self.issue(common_name, now=now, days=days, hosts=hosts))
        (path.parent / _CERTIFICATE).write_bytes(self.pem)

    def _end_extensions(
        self, public: ec.EllipticCurvePublicKey, hosts: Sequence[str]
    ) -> list[tuple[x509.ExtensionType, bool]]:
        both_ends = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_key_usage(certificates=False), True),
            (x509.ExtendedKeyUsage(both_ends), False),
            (x509.SubjectKeyIdentifier.from_public_key(public), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False),
        ]
        if hosts:
            extensions.append((x509.SubjectAlternativeName([_host(host) for host in hosts]), False))
        return extensions


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + timedelta(days=days))
    )


def _sign(
    builder: x509.CertificateBuilder,
    extensions: Iterable[tuple[x509.ExtensionType, bool]],
    key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(key, SHA256())


def _key_usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        key_cert_sign=certificates,
        crl_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
