"""Certificates: who is named, who is trusted."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from tongbao_broker.errors import BadConfiguration
from tongbao_broker.trust.certificates import CertificateAuthority

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ca")
    CertificateAuthority.create(folder, now=NOW)
    return folder


def issued(folder: Path, name: str, hosts: tuple[str, ...] = ()) -> x509.Certificate:
    pem = CertificateAuthority.load(folder).issue(name, now=NOW, days=30, hosts=hosts)
    return x509.load_pem_x509_certificates(pem)[0]


def verify_client(ca: bytes, certificate: x509.Certificate, at: datetime) -> None:
    store = Store(x509.load_pem_x509_certificates(ca))
    PolicyBuilder().store(store).time(at).build_client_verifier().verify(certificate, [])


@pytest.mark.parametrize("name", ["520000", "100000", "000000"])
def test_the_subject_is_the_name_and_nothing_else(folder: Path, name: str) -> None:
    """The broker maps exactly `CN=<code>` to a principal, so the subject holds exactly that."""
    assert issued(folder, name).subject.rfc4514_string() == f"CN={name}"


def test_a_certificate_verifies_under_its_authority(folder: Path) -> None:
    """A strict verifier of X.509 takes it as a client's certificate within its time."""
    certificate = issued(folder, "520000", ("520000.example",))
    verify_client(CertificateAuthority.load(folder).pem, certificate, NOW + timedelta(days=1))


@pytest.mark.parametrize("at", [NOW - timedelta(hours=1), NOW + timedelta(days=31)])
def test_a_certificate_holds_in_its_time_only(folder: Path, at: datetime) -> None:
    """Before and after, the verifier refuses."""
    certificate = issued(folder, "520000", ("520000.example",))
    with pytest.raises(VerificationError):
        verify_client(CertificateAuthority.load(folder).pem, certificate, at)


def test_another_authority_is_not_trusted(folder: Path, tmp_path: Path) -> None:
    """The same name under another authority proves nothing."""
    other = CertificateAuthority.create(tmp_path, now=NOW)
    with pytest.raises(VerificationError):
        verify_client(other.pem, issued(folder, "520000", ("520000.example",)), NOW + timedelta(days=1))


def test_a_certificate_cannot_issue_others(folder: Path) -> None:
    """Only the authority's certificate is one of an authority, and it allows none below it."""
    end = issued(folder, "520000").extensions.get_extension_for_class(x509.BasicConstraints)
    authority = x509.load_pem_x509_certificate(CertificateAuthority.load(folder).pem)
    constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints)

    assert (end.value.ca, constraints.value.ca, constraints.value.path_length) == (False, True, 0)


def test_a_server_is_named_by_host_and_address(folder: Path) -> None:
    """Host names and IP addresses go into the alternative names, each as its kind."""
    certificate = issued(folder, "000000", ("localhost", "127.0.0.1", "::1"))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]


def test_one_file_holds_key_and_chain(folder: Path, tmp_path: Path) -> None:
    """The PEM file loads into a TLS context as it is, for its owner only; the authority lies beside."""
    path = tmp_path / "home/tls.pem"
    authority = CertificateAuthority.load(folder)
    authority.issue_to(path, "520000", now=NOW, days=30)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_cert_chain(path)
    context.load_verify_locations(path.parent / "ca.pem")

    assert path.stat().st_mode & 0o777 == 0o600
    assert b"BEGIN PRIVATE KEY" in path.read_bytes()
    assert (path.parent / "ca.pem").read_bytes() == authority.pem


def test_the_authoritys_key_is_private(folder: Path) -> None:
    """Only the owner reads the key that issues."""
    assert (folder / "ca-key.pem").stat().st_mode & 0o777 == 0o600


def test_a_folder_without_an_authority_is_named(tmp_path: Path) -> None:
    """Loading from the wrong folder is a configuration error."""
    with pytest.raises(BadConfiguration, match=r"no certificate authority"):
        CertificateAuthority.load(tmp_path)
