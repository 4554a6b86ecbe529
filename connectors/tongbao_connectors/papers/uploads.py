"""What comes with a form in files, read as a stream.

1. Files of legal papers are kept nowhere: all that stays is their SHA-256.
2. Attachments (`ATTACH`) are held in memory, and no further than a file may be long.
"""

import hashlib
from typing import TYPE_CHECKING, Any, Final

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopFutureHandlers
from django.http import HttpRequest

from tongbao_schemas.bodies.attachment import MOST_BYTES

if TYPE_CHECKING:
    _File = UploadedFile[bytes]
else:
    _File = UploadedFile

ATTACH: Final = "attach"
"""The name of the form's field for attachments."""


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


class Given(_File):
    """A file that is to be attached. `content` is None where it was longer than allowed."""

    def __init__(self, name: str, content: bytes | None) -> None:
        super().__init__(file=None, name=name, size=len(content or b""))
        self.content = content


class AttachmentHandler(FileUploadHandler):
    """Takes the files of the field `ATTACH` and leaves all others to the next handler."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._mine = self.field_name == ATTACH
        self._content = bytearray()
        if self._mine:
            raise StopFutureHandlers

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        if not self._mine:
            return raw_data
        if len(self._content) <= MOST_BYTES:
            self._content += raw_data
        return None

    def file_complete(self, file_size: int) -> Given | None:
        if not self._mine:
            return None
        content = bytes(self._content) if len(self._content) <= MOST_BYTES else None
        return Given(self.file_name or "", content)


def handlers(request: HttpRequest) -> list[FileUploadHandler]:
    """What reads the files of a draft's form."""
    return [AttachmentHandler(request), DigestHandler(request)]
