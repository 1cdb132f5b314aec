"""Bytes to text, line by line where a file mixes encodings; lines that no encoding explains keep lone surrogates."""

import codecs
import re
from collections import Counter
from dataclasses import dataclass

from poetune.errors import CorpusError

_LINE_END = re.compile(rb"\r*\n|\r")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NAMES = {"gb18030": "GB18030", "big5": "Big5", "cp1252": "Windows-1252", "mac_roman": "Mac Roman"}
_TYPOGRAPHY = frozenset("‘’“”–—…")
_LOST = re.compile("[\ud800-\udfff\ufffd]")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text with \\n line ends; `found` counts lines by encoding, `bad` holds the numbers (from 1) of unread lines."""

    text: str
    found: dict[str, int]
    bad: tuple[int, ...] = ()

    def note(self, name: str) -> str:
        """What to say about a file that is not plain UTF-8, else ""."""
        if set(self.found) <= {"UTF-8"}:
            return ""
        ranked = sorted(self.found.items(), key=lambda f: -f[1])
        parts = [f"{count} {'line' if count == 1 else 'lines'} as {encoding}" for encoding, count in ranked]
        return f"{name}: read {', '.join(parts)}; set corpus.encoding if that is wrong."


def damaged(text: str) -> bool:
    """Whether characters were lost: bytes that no encoding explained, or U+FFFD left by an earlier conversion."""
    return _LOST.search(text) is not None


def decode(data: bytes, encoding: str = "") -> Decoded:
    """Text of a file. UTF-8 comes first; lines that are not are read by the encoding that explains them best.

    Raises CorpusError for an unknown `encoding` and for bytes that are no text at all.
    """
    for bom, name in _BOMS:
        if data.startswith(bom):
            body = data[len(bom) :]
            if name == "utf-8":
                return decode(body, encoding)
            return _whole(body, name)
    if encoding:
        return _named(data, encoding)
    if b"\0" in data:
        return _utf16(data)
    return _by_lines(data)


def _unify(text: str) -> str:
    return re.sub(r"\r*\n|\r", "\n", text)


def _whole(data: bytes, encoding: str) -> Decoded:
    text = _unify(data.decode(encoding, errors="replace"))
    return Decoded(text, {encoding.upper(): text.count("\n") + 1})


def _named(data: bytes, encoding: str) -> Decoded:
    try:
        codecs.lookup(encoding)
        text_encoding = codecs.lookup(encoding)._is_text_encoding
    except LookupError:
        text_encoding = False
    if not text_encoding:
        raise CorpusError(f"corpus.encoding `{encoding}` is not known; try utf-8, gb18030, big5, cp1252 or mac_roman.")
    if encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32")):
        return _whole(data, encoding)
    lines, bad = [], []
    for number, raw in enumerate(_LINE_END.split(data), 1):
        try:
            lines.append(raw.decode(encoding))
        except UnicodeDecodeError:
            lines.append(raw.decode("ascii", errors="surrogateescape"))
            bad.append(number)
    return Decoded("\n".join(lines), {encoding: len(lines) - len(bad)}, tuple(bad))


def _utf16(data: bytes) -> Decoded:
    for encoding in ("utf-16-le", "utf-16-be"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        sample = text[:4000]
        usual = sum(c in "\n\r\t" or " " <= c < "ɐ" or "\u2010" <= c <= "\u2026" or _is_cjk(c) for c in sample)
        if usual >= 0.9 * len(sample):
            return _whole(data, encoding)
    raise CorpusError("it holds no text (NUL bytes); save it as UTF-8 text.")


def _is_cjk(c: str) -> bool:
    return "\u3000" <= c <= "\u30ff" or "\u3400" <= c <= "\u9fff" or "\uff00" <= c <= "\uffef"


def _by_lines(data: bytes) -> Decoded:
    raws = _LINE_END.split(data)
    lines: list[str | None] = [_strict(raw, "utf-8") for raw in raws]
    legacy = [raw for raw, line in zip(raws, lines, strict=True) if line is None]
    found: Counter[str] = Counter({"UTF-8": len(raws) - len(legacy)})
    if not legacy:
        return Decoded("\n".join(line or "" for line in lines), dict(found))
    # A short line says little about its encoding, so all of them together speak first.
    usual = _guess(b"\n".join(legacy))
    out, bad = [], []
    for number, (raw, line) in enumerate(zip(raws, lines, strict=True), 1):
        if line is None:
            encoding = usual if usual and _fits(raw, usual) else _guess(raw)
            line = _strict(raw, encoding) if encoding else None
            if line is None:
                line = raw.decode("ascii", errors="surrogateescape")
                bad.append(number)
            else:
                found[_NAMES[encoding]] += 1
        out.append(line)
    return Decoded("\n".join(out), {k: v for k, v in found.items() if v}, tuple(bad))


def _strict(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _guess(raw: bytes) -> str:
    """The legacy encoding that explains the bytes best, or ""."""
    high = sum(b >= 0x80 for b in raw) / max(1, len(raw))
    letters = max(("cp1252", "mac_roman"), key=lambda e: _letters(raw, e))
    if _letters(raw, letters) >= 1.5 and high < 0.1:
        return letters
    chinese = max(("gb18030", "big5"), key=lambda e: _common(raw, e))
    if _common(raw, chinese) >= 0.9:
        return chinese
    if _letters(raw, letters) > 0 and high < 0.3:
        return letters
    return chinese if high >= 0.5 and _common(raw, chinese) >= 0.6 else ""


def _fits(raw: bytes, encoding: str) -> bool:
    if encoding in ("gb18030", "big5"):
        few = sum(b >= 0x80 for b in raw) < 32  # a few rare characters in a line say nothing
        return _common(raw, encoding) >= (0.25 if few else 0.6)
    return _letters(raw, encoding) > 0 and sum(b >= 0x80 for b in raw) < 0.5 * len(raw)


def _common(raw: bytes, encoding: str) -> float:
    """Share of two-byte characters in the common part of the table; 0 if the bytes do not decode."""
    if _strict(raw, encoding) is None:
        return 0.0
    top, low = (0xF7, 0xA1) if encoding == "gb18030" else (0xC6, 0x40)
    pairs = common = i = 0
    while i < len(raw):
        if raw[i] < 0x80:
            i += 1
            continue
        pairs += 1
        trail = raw[i + 1] if i + 1 < len(raw) else 0
        common += 0xA1 <= raw[i] <= top and trail >= low
        i += 4 if encoding == "gb18030" and 0x30 <= trail <= 0x39 else 2
    return common / pairs if pairs else 0.0


def _letters(raw: bytes, encoding: str) -> float:
    """Mean plausibility of the non-ASCII characters in Latin text: typography 2, small letters 1, oddities below 0."""
    text = _strict(raw, encoding)
    if text is None:
        return -1.0
    points = []
    for i, c in enumerate(text):
        if c < "\x80":
            continue
        before = text[i - 1] if i else " "
        if c in _TYPOGRAPHY:
            points.append(2.0)
        elif c.islower():
            points.append(1.0)
        elif (c.isupper() and not before.isalpha()) or c in "\xa0«»·£°":
            points.append(0.5)
        else:
            points.append(-1.0)
    return sum(points) / len(points) if points else 0.0
