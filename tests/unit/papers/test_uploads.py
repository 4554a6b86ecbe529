"""Files of legal papers: their SHA-256 and nothing else."""

import hashlib
from typing import Any

import pytest
from django.core.files.uploadhandler import SkipFile

from tongbao_connectors.papers import uploads
from tongbao_connectors.papers.uploads import Digested, DigestHandler


def taken(*chunks: bytes) -> Any:
    """What a file in these chunks leaves behind."""
    handler = DigestHandler()
    handler.new_file("file:body.legal_basis.digest", "立案决定书.pdf", "application/pdf", None)
    start = 0
    for chunk in chunks:
        handler.receive_data_chunk(chunk, start)
        start += len(chunk)
    return handler.file_complete(start)


def test_only_the_digest_is_left() -> None:
    """Of the chunks together; no name, no content."""
    file = taken(b"exer", b"cise")

    assert isinstance(file, Digested)
    assert file.digest == f"sha256:{hashlib.sha256(b'exercise').hexdigest()}"
    assert (file.file, file.name) == (None, "file:body.legal_basis.digest")


def test_an_empty_file_is_none() -> None:
    """Its digest would say nothing."""
    assert taken().digest == ""


def test_a_file_that_is_too_long_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is read to its end."""
    monkeypatch.setattr(uploads, "MOST_BYTES", 6)

    with pytest.raises(SkipFile):
        taken(b"exer", b"cise")
