"""A text file as blocks of whole physical lines in UTF-8, whatever its encoding."""

from __future__ import annotations

import codecs
from contextlib import suppress
from typing import IO

import polars as pl

from transforms.read.encodings import decoding_error, utf8_error
from transforms.read.source import Source

_LONGEST_LINE = 50_000_000


class BlockReader:
    """Hands out blocks of whole lines, and takes back what belongs to the next block.

    Args:
        source: The file, for messages.
        stream: Its bytes, standing after the byte-order mark.
        encoding: As `encodings.find_encoding` gives it.
        separator: The byte that ends a physical line: LF (also for CRLF) or CR.
        block_bytes: About the size of a block.
    """

    def __init__(
        self, source: Source, stream: IO[bytes], encoding: str, separator: bytes, block_bytes: int
    ) -> None:
        self._source = source
        self._stream = stream
        self._encoding = encoding
        self._separator = separator
        self._size = block_bytes
        self._rest = b""
        self.line = 1  # physical line at which the next block begins; the caller keeps it
        self._utf8_seen: bool | None = None
        self._decoder = codecs.getincrementaldecoder(encoding)() if encoding != "utf-8" else None
        self.unterminated = False  # the last line had no line ending (one was added)
        self.at_end = False

    def next(self) -> bytes:
        """The next block of whole lines; empty at the end of the file.

        Raises:
            FileError: ENCODING; TRUNCATED where the file ends inside a character.
        """
        parts: list[bytes | memoryview] = [self._rest]
        size, rest = len(self._rest), b""
        while not self.at_end:
            data = self._stream.read(self._size)
            self.at_end = not data
            text = self._to_utf8(data)
            size += len(text)
            cut = text.rfind(self._separator) + 1
            if size > _LONGEST_LINE and not cut:
                raise self._source.error(
                    "CORRUPT",
                    f"a line after line {self.line} is longer than {_LONGEST_LINE:,} bytes",
                    "ask the center to export it again",
                )
            if cut and not self.at_end:  # one copy: what was left before, and whole lines of this
                parts.append(memoryview(text)[:cut])
                rest = text[cut:]
                break
            parts.append(text)
        block, self._rest = b"".join(parts), rest
        if self.at_end and block and not block.endswith(self._separator):
            self.unterminated = True
            block += self._separator
        if self._decoder is None and not block.isascii():
            self._check_utf8(block)
        return block

    def push_back(self, rest: bytes) -> None:
        """Return whole lines that the next block shall begin with."""
        self._rest = rest + self._rest

    def _to_utf8(self, data: bytes) -> bytes:
        if self._decoder is None:
            return data
        try:
            text = self._decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            before = self._rest + data[: error.start]
            line = self.line + before.count(self._separator)
            raise decoding_error(self._source, self._encoding, data, line) from None
        encoded = text.encode("utf-8", "surrogatepass")
        if not self._encoding.startswith("utf") and not data.isascii():
            self._refuse_utf8(data)
        return encoded

    def _refuse_utf8(self, data: bytes) -> None:
        # Text of a single-byte encoding is practically never valid UTF-8 by chance; a center that
        # changed its export to UTF-8 would else be read with two wrong letters for each umlaut.
        if self._utf8_seen is not None:
            return
        start = next(i for i, byte in enumerate(data) if byte >= 0x80)
        sample = data[start : start + 1_000_000]
        whole = len(data) < self._size and len(data) - start <= len(sample)
        try:
            text = codecs.getincrementaldecoder("utf-8")().decode(sample, final=whole)
            self._utf8_seen = True if not text.isascii() else None
        except UnicodeDecodeError:
            self._utf8_seen = False
        if self._utf8_seen:
            raise utf8_error(self._source, self._encoding)

    def _check_utf8(self, block: bytes) -> None:
        with suppress(pl.exceptions.PolarsError):  # a fifth of the time of a decoding
            pl.Series([block], dtype=pl.Binary).cast(pl.String)
            return
        try:
            block.decode("utf-8")
        except UnicodeDecodeError as error:
            line = self.line + block[: error.start].count(self._separator)
            if self.unterminated and error.end >= len(block) - 1:
                raise self._source.error(
                    "TRUNCATED",
                    f"ends inside a character (line {line})",
                    "ask the center to send the file again: the upload broke off",
                    row=line,
                ) from None
            raise decoding_error(self._source, "utf-8", block, line) from None
