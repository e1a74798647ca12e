"""A file, a folder or a glob as lazy frames; nothing is held of a file but a batch of rows."""

from __future__ import annotations

import csv
import glob
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from tidecast.columns import MISSING
from tidecast.errors import DataError

SUFFIXES: Final = (".csv", ".parquet")
BATCH_ROWS: Final = 50_000
GUESS_ROWS: Final = 10_000
"""Rows of a CSV file from which the columns of numbers are told from those of text."""


class SourceFile(NamedTuple):
    """One file. name: its path below the folder that was asked for, without the suffix."""

    path: Path
    name: str
    frame: pl.LazyFrame
    columns: tuple[str, ...]

    def numeric(self) -> tuple[str, ...]:
        """The columns that hold numbers, as far as the first rows show."""
        frame = self.frame
        if self.path.suffix == ".csv":
            missing = [form for text in MISSING for form in (text, text.upper(), text.title())]
            frame = pl.scan_csv(
                self.path,
                separator=_separator(_first_line(self.path)),
                new_columns=list(self.columns),
                infer_schema_length=GUESS_ROWS,
                null_values=missing,
                glob=False,
            )
        with file_errors(self.path):
            schema = frame.collect_schema()
        return tuple(name for name in self.columns if schema[name].is_numeric())

    def batches(self, columns: Sequence[str]) -> Iterator[tuple[int, pl.DataFrame]]:
        """Batches of the named columns, each with the number of its first row, from 1 on."""
        row = 1
        with file_errors(self.path):
            frame = self.frame.select(columns)
            for rows in frame.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
                if rows.height:
                    yield row, rows
                row += rows.height


def scan(pattern: str, folder: Path) -> list[SourceFile]:
    """Open what `pattern` names: a file, a folder with all below it, or a glob.

    A relative one starts at `folder`. Raises DataError when there is nothing that can be read.
    """
    path = folder / pattern
    if path.is_file():
        return [_open(path, path.parent)]
    if path.is_dir():
        found = [one for one in path.rglob("*") if one.suffix in SUFFIXES]
        root = path
    else:
        found = [Path(one) for one in glob.glob(str(path), recursive=True)]  # noqa: PTH207
        found = [one for one in found if one.is_file()]
        root = _fixed_part(path)
    if not found:
        raise DataError(
            f"cannot read {path}: no such file, nor a folder or pattern with "
            f"{' or '.join(SUFFIXES)} files"
        )
    return [_open(one, root) for one in sorted(found)]


def sha256_of(files: Sequence[SourceFile]) -> str:
    """Hash the bytes of a file; of several, their names and hashes."""
    digests = []
    for file in files:
        with file_errors(file.path), file.path.open("rb") as opened:
            digests.append(hashlib.file_digest(opened, "sha256").hexdigest())
    if len(files) == 1:
        return digests[0]
    lines = [f"{digest}  {file.name}\n" for digest, file in zip(digests, files, strict=True)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turn what reading a file raises in the block into a DataError."""
    try:
        yield
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise DataError(f"cannot read {path}: {reason}") from error


def _open(path: Path, root: Path) -> SourceFile:
    if path.suffix not in SUFFIXES:
        raise DataError(f"{path} is no {' or '.join(SUFFIXES)} file; convert it, or rename it")
    name = path.relative_to(root).with_suffix("").as_posix()
    with file_errors(path):
        if path.suffix == ".parquet":
            frame = pl.scan_parquet(path, glob=False)
            return SourceFile(path, name, frame, tuple(frame.collect_schema().names()))
        line = _first_line(path)
        columns = _header(path, line)
        # Every cell as text: the library's own guess of types fails without naming the cell.
        frame = pl.scan_csv(
            path,
            infer_schema=False,
            separator=_separator(line),
            new_columns=list(columns),
            glob=False,
        )
        return SourceFile(path, name, frame, columns)


def _first_line(path: Path) -> str:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return file.readline()


def _header(path: Path, line: str) -> tuple[str, ...]:
    """The names in a CSV file's first line. Raises DataError for an empty or repeated one."""
    columns = tuple(
        name.strip() for name in next(csv.reader([line], delimiter=_separator(line)), [])
    )
    if not any(columns):
        raise DataError(f"{path} is empty; its first line must name the columns")
    for name in columns:
        if not name or columns.count(name) > 1:
            raise DataError(f"{path}: the column name {name!r} is empty or occurs twice; rename it")
    return columns


def _separator(line: str) -> str:
    return max(",;\t", key=line.count)


def _fixed_part(pattern: Path) -> Path:
    """The folder above the first part of a glob that is not a plain name."""
    plain = Path(*[part for part in pattern.parts if part == glob.escape(part)])
    return next(parent for parent in (plain, *plain.parents) if parent.is_dir())
