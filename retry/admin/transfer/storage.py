"""Where an uploaded file waits between the preview and the confirmation."""

from contextlib import suppress
from datetime import timedelta

from django.utils import timezone
from import_export.tmp_storages import MediaStorage

from retry.admin.transfer.reading import ImportRefused

#: Nobody confirms a preview of yesterday: the entries have moved on.
KEPT = timedelta(days=1)
_GONE = "The file is not there any more: it was imported, or waited too long. Choose it again."


class ImportStorage(MediaStorage):
    """The storage ``import_export`` of the settings, which all web processes share."""

    def get_full_path(self) -> str:
        return str(self.name)

    def save(self, data: bytes) -> None:
        self._forget_old()
        super().save(data)

    def read(self) -> bytes:
        """Raises ``ImportRefused`` where the file is gone."""
        try:
            data: bytes = super().read()
        except FileNotFoundError as error:
            raise ImportRefused(_GONE) from error
        return data

    def _forget_old(self) -> None:
        """What was previewed and never confirmed."""
        with suppress(FileNotFoundError):
            oldest = timezone.now() - KEPT
            for name in self._storage.listdir("")[1]:
                if self._storage.get_modified_time(name) < oldest:
                    self._storage.delete(name)
