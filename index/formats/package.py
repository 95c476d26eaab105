"""Opens the ZIP package that a Word or ODT file is, and lets no bomb through.

Knows nothing of what is in the package. What a member says of its size is checked before anything is
unpacked, and no more than that is unpacked.
"""

import zipfile
from pathlib import Path

from index.errors import DocumentError

__all__ = ["open_package", "read_member"]

_MAX_MEMBERS = 10_000
_MAX_UNPACKED = 1_000_000_000
_MAX_TEXT = 100_000_000
"""Bytes of one part that holds text: some tens of thousands of pages."""
_MAX_RATIO = 150
"""Text in XML packs to a tenth or a twentieth; what packs better than this says the same over and over."""
_WORTH_CHECKING = 5_000_000


def open_package(path: Path) -> zipfile.ZipFile:
    """The package, its table of contents checked.

    Raises:
        DocumentError: it is damaged, or would unpack to more than a document can be.
    """
    try:
        package = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DocumentError(
            "it is damaged: save or download it again", "het is beschadigd. Bewaar of download het opnieuw."
        ) from error
    members = package.infolist()
    if len(members) > _MAX_MEMBERS or sum(member.file_size for member in members) > _MAX_UNPACKED:
        raise DocumentError(
            "it unpacks to far more than a document holds: it is not read",
            "uitgepakt is het veel groter dan een document. Het wordt niet gelezen.",
        )
    for member in members:
        if member.flag_bits & 1:
            raise DocumentError(
                "it is protected with a password: save it without one",
                "het is beveiligd met een wachtwoord. Sla het zonder wachtwoord op.",
            )
        large = member.file_size > _WORTH_CHECKING
        if large and member.file_size > _MAX_RATIO * max(1, member.compress_size):
            raise DocumentError(
                "it unpacks to far more than a document holds: it is not read",
                "uitgepakt is het veel groter dan een document. Het wordt niet gelezen.",
            )
    return package


def read_member(package: zipfile.ZipFile, name: str) -> bytes | None:
    """One part of the package, `None` where there is none of that name.

    Raises:
        DocumentError: it is damaged or too large.
    """
    try:
        if package.getinfo(name).file_size > _MAX_TEXT:
            raise DocumentError(
                "it holds more text than can be read at once: split it first",
                "het bevat meer tekst dan in één keer te lezen is. Splits het eerst.",
            )
        return package.read(name)
    except KeyError:
        return None
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise DocumentError(
            "it is damaged: save or download it again", "het is beschadigd. Bewaar of download het opnieuw."
        ) from error
