"""Zip files, read in memory and never unpacked to disk; bombs and paths that climb out are refused."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from poetune.corpus.intake import Findings, Source
from poetune.errors import CorpusError

MOST_BYTES = 512 << 20  # of all entries together, unpacked
MOST_ENTRIES = 50_000
_RATIO, _RATIO_FROM = 200, 16 << 20  # text shrinks some 3 to 10 times; only big entries are suspected


def entries(name: str, data: bytes, wanted: frozenset[str], findings: Findings) -> Iterator[Source]:
    """The files of a zip whose ending is in `wanted`, in order of their names.

    Raises CorpusError for a zip that is damaged, climbs out of its folder or unpacks to far too much.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise CorpusError(f"{name} cannot be read as a zip ({error}); pack it again.") from None
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > MOST_ENTRIES or sum(info.file_size for info in infos) > MOST_BYTES:
        raise CorpusError(f"{name} would unpack to more than {MOST_BYTES >> 20} MB; unpack it and give the folder.")
    named = sorted((entry_name(info), info) for info in infos)
    for inner, info in named:
        if inner.startswith("/") or ".." in inner.split("/") or ":" in inner.partition("/")[0]:
            raise CorpusError(f"{name} holds a path that leaves its folder ({inner}); do not trust it.")
        if info.file_size > max(_RATIO_FROM, _RATIO * info.compress_size):
            raise CorpusError(
                f"{name}: {inner} unpacks to {info.file_size >> 20} MB from almost nothing; do not trust it."
            )
    for inner, info in named:
        if junk(inner):
            continue
        if inner.lower().endswith(".zip"):
            findings.skip(f"{name}/{inner}", 0, "is a zip in a zip; unpack the outer one")
            continue
        source = Source(f"{name}/{inner}", b"")
        if source.suffix not in wanted:
            continue
        try:
            with archive.open(info) as file:
                body = file.read(info.file_size + 1)
            if len(body) > info.file_size:
                raise zipfile.BadZipFile("longer than it says")
        except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError) as error:
            findings.skip(source.name, 0, f"cannot be unpacked ({error})")
            continue
        yield Source(source.name, body)


def entry_name(info: zipfile.ZipInfo) -> str:
    """The path inside the zip; names not marked as UTF-8 are often UTF-8 or GBK all the same."""
    name = info.filename
    if not info.flag_bits & 0x800:
        try:
            raw = name.encode("cp437")
        except UnicodeEncodeError:
            return name.replace("\\", "/")
        for encoding in ("utf-8", "gb18030"):
            try:
                name = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return name.replace("\\", "/")


def junk(path: str) -> bool:
    """What systems leave in folders and zips: __MACOSX, ._names, hidden files."""
    return any(part == "__MACOSX" or part.startswith(".") for part in PurePosixPath(path).parts)
