"""Bytes to physical lines: strict decoding, bounded memory, every error with file, line and column.

A line ends with LF, CR LF or CR alone, and line numbers are those that an editor shows. The
text is cut by hand, in blocks, because a text file object has no bound on the length of a line
and does not tell where in the file a byte could not be decoded.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator

from lifecycle_kit.contract.sources.describe import SourceOptions
from lifecycle_kit.contract.sources.files import InputFile, clear_os_errors
from lifecycle_kit.errors import DataError, UsageError

__all__ = ["MAX_RECORD_CHARS", "find_encoding", "line_blocks"]

BLOCK_BYTES = 1 << 17
# far above any honest field, far below what would fill the memory after a quote left open
MAX_RECORD_CHARS = 1 << 22

# the longer marks first: UTF-32's begins with UTF-16's
_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def find_encoding(file: InputFile, options: SourceOptions) -> tuple[str, tuple[str, ...]]:
    """Return the codec to read a file with, and notes on how it was found.

    Raises
    ------
    UsageError
        The declared encoding is unknown.
    DataError
        The byte order mark contradicts the declared encoding.
    """
    head = next(_blocks(file, options), b"")[:4]
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if options.encoding is None:
        return (marked, (f"byte order mark: {marked}",)) if marked else ("utf-8", ())
    try:
        declared = codecs.lookup(options.encoding).name
        "".encode(declared)
    except (LookupError, ValueError) as error:
        raise UsageError(
            f"Unknown encoding {options.encoding!r}.",
            fix="Usual ones: utf-8, cp1252 (Western Windows and Excel), latin-1, utf-16.",
        ) from error
    if marked is None:
        return declared, ()
    family = marked.removesuffix("-sig")
    if not declared.startswith(family):
        raise DataError(
            f"Encoding {options.encoding!r} is declared, but the file begins with the mark of {family}.",
            fix=f'Declare encoding="{family}", or none.',
            where=file.display,
        )
    return marked, (f"byte order mark: {marked}",)


def line_blocks(file: InputFile, encoding: str, options: SourceOptions) -> Iterator[list[str]]:
    """Yield the physical lines of a file, ends kept, some thousands at a time.

    Raises
    ------
    DataError
        A byte that the encoding does not have, a NUL byte, a line beyond `MAX_RECORD_CHARS`,
        a broken gzip stream or one that unpacks to more than allowed.
    """
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    n_lines, n_bytes, tail = 0, 0, ""
    for block in _with_end(_blocks(file, options)):
        try:
            text = tail + decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            # what the decoder still held from before is at the head of error.object
            start = n_bytes + len(block) - len(error.object)
            raise _undecodable(file, encoding, error, n_lines, tail, start) from error
        n_bytes += len(block)
        if "\0" in text:
            raise _nul(file, text, n_lines)
        # StringIO ends lines like an editor does; str.splitlines would also cut at \x0b, \x1c, \u2028 ...
        lines = list(io.StringIO(text, newline=""))
        # the last line may go on, and a CR at the end may be half of a CR LF
        tail = lines.pop() if block and lines and not lines[-1].endswith("\n") else ""
        if len(tail) > MAX_RECORD_CHARS:
            raise DataError(
                f"The line is longer than {MAX_RECORD_CHARS:,} characters.",
                fix="Is this a text file with line ends?",
                where=f"{file.display}, line {n_lines + len(lines) + 1}",
            )
        n_lines += len(lines)
        if lines:
            yield lines


def _with_end(blocks: Iterator[bytes]) -> Iterator[bytes]:
    # an empty block tells the decoder that nothing follows
    yield from blocks
    yield b""


def _blocks(file: InputFile, options: SourceOptions) -> Iterator[bytes]:
    n_bytes = 0
    with clear_os_errors(file.display), open(file.path, "rb") as raw:
        stream = gzip.GzipFile(fileobj=raw) if file.is_gzip else raw
        try:
            while block := stream.read(BLOCK_BYTES):
                n_bytes += len(block)
                if file.is_gzip and n_bytes > options.max_uncompressed_bytes:
                    raise DataError(
                        f"The file unpacks to more than {options.max_uncompressed_bytes:,} bytes.",
                        fix="Raise max_uncompressed_bytes if it really is that large.",
                        where=file.display,
                    )
                yield block
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(
                f"The gzip file is broken after {n_bytes:,} unpacked bytes: {error}.",
                fix="Copy or export it again.",
                where=file.display,
            ) from error


def _undecodable(
    file: InputFile, encoding: str, error: UnicodeDecodeError, n_lines: int, tail: str, offset: int
) -> DataError:
    bad = error.object[error.start : error.end]
    before = tail + error.object[: error.start].decode(encoding, "replace")
    line = n_lines + len(list(io.StringIO(before + "x", newline="")))
    fix = "Declare the encoding it was written in, for example cp1252 (Western Windows and Excel)."
    if encoding in ("utf-8", "utf-8-sig"):
        around = error.object[max(0, error.start - 12) : error.start + 12].decode("cp1252", "replace")
        shown = " ".join(around.split())
        fix = f'Declare encoding="cp1252" (Western Windows and Excel) if this then reads right: {shown!r}.'
    return DataError(
        f"Byte 0x{bad[:1].hex()} at offset {offset + error.start} is not {encoding}.",
        fix=fix,
        where=f"{file.display}, line {line}",
    )


def _nul(file: InputFile, text: str, n_lines: int) -> DataError:
    before = list(io.StringIO(text[: text.index("\0")] + "x", newline=""))
    line = n_lines + len(before)
    fix = "Remove it at the source: some programs cut the value there."
    if line == 1:
        fix = 'If the file is UTF-16 without a mark, declare encoding="utf-16-le"; else it is not a text file.'
    at = len(before[-1]) - 1
    around = before[-1][max(0, at - 12) : at] + text[text.index("\0") :][:12].splitlines()[0]
    return DataError(
        f"The text has a NUL byte, in {around!r}.",
        fix=fix,
        where=f"{file.display}, line {line}, character {at + 1}",
    )
