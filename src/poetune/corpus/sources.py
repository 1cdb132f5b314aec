"""The files that `corpus.files` names: single ones, folders, zips and hub data sets."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from poetune.corpus import hub
from poetune.corpus.archive import entries, junk
from poetune.corpus.intake import Findings, Source
from poetune.errors import CorpusError

PROSE = frozenset({".txt", ".text", ".md", ".markdown"})
TABLES = frozenset({".csv", ".tsv", ".jsonl", ".ndjson", ".json"})
_ABOUT = frozenset({"readme", "license", "licence", "changelog", "contributing", "notice"})


def sources(files: Sequence[str], root: Path, findings: Findings) -> Iterator[Source | str]:
    """Each file with its bytes, or `hub:...` for a data set; folders in order of their names.

    Raises CorpusError for a path that does not exist or a file of a kind that is not read.
    """
    for given in files:
        if given.startswith("hub:"):
            yield given
            continue
        path = root / Path(given).expanduser()
        if path.is_dir():
            if hub.saved(path):
                yield f"hub:{path}"
            else:
                yield from _folder(given.rstrip("/\\"), path, findings)
        elif path.is_file():
            yield from _file(given, path, findings, given=True)
        else:
            raise CorpusError(f"{given} does not exist in {root}; give a file, a folder or hub:ID.")


def _folder(given: str, folder: Path, findings: Findings) -> Iterator[Source]:
    left: Counter[str] = Counter()
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not junk(f))
        for file in sorted(files):
            path = Path(where, file)
            inner = path.relative_to(folder).as_posix()
            suffix = path.suffix.lower()
            if junk(inner):
                continue
            if path.stem.casefold() in _ABOUT or suffix not in PROSE | TABLES | {".zip"}:
                left[file if path.stem.casefold() in _ABOUT else suffix or "no ending"] += 1
                continue
            yield from _file(f"{given}/{inner}" if given not in (".", "") else inner, path, findings)
    if left:
        kinds = ", ".join(f"{kind} ({count})" if count > 1 else kind for kind, count in sorted(left.items()))
        findings.notes.append(f"{given}: left unread {kinds}; save such poems as txt, md, csv or jsonl.")


def _file(name: str, path: Path, findings: Findings, *, given: bool = False) -> Iterator[Source]:
    suffix = path.suffix.lower()
    if given and suffix not in PROSE | TABLES | {".zip"}:
        raise CorpusError(
            f"{name}: files of kind `{suffix or 'none'}` are not read; save it as txt, md, csv, jsonl or json."
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{name} cannot be opened ({error.strerror}); check its permissions.") from None
    if suffix == ".zip":
        for entry in entries(name, data, PROSE | TABLES, findings):
            if entry.stem.casefold() not in _ABOUT:
                yield entry
    else:
        yield Source(name, data, given)
