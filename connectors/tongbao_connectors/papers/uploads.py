"""Files of legal papers: read as a stream, kept nowhere. All that stays is their SHA-256."""

import hashlib
from typing import TYPE_CHECKING, Any, Final

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile

if TYPE_CHECKING:
    _File = UploadedFile[bytes]
else:
    _File = UploadedFile

MOST_BYTES: Final = 20 * 1024 * 1024


class Digested(_File):
    """What is known of a file that was not kept. `digest` is empty where it was longer than allowed."""

    def __init__(self, field: str, size: int, digest: str) -> None:
        super().__init__(file=None, name=field, size=size)
        self.digest = digest


class DigestHandler(FileUploadHandler):
    """Takes every file of a request."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._sha256 = hashlib.sha256()
        self._size = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._size += len(raw_data)
        if self._size > MOST_BYTES:
            raise SkipFile
        self._sha256.update(raw_data)

    def file_complete(self, file_size: int) -> Digested:
        short_enough = 0 < self._size <= MOST_BYTES
        digest = f"sha256:{self._sha256.hexdigest()}" if short_enough else ""
        return Digested(self.field_name or "", self._size, digest)
