"""Pieces of a page: text is escaped here, pictures come as SVG."""

from __future__ import annotations

import html
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tidecast.errors import DataError

STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; color: #222 }
table { border-collapse: collapse } td, th { padding: .2rem .8rem; text-align: right }
th { border-bottom: 1px solid #999 } td:first-child, th:first-child { text-align: left }
pre { background: #f4f4f4; padding: 1rem; overflow-x: auto } svg { max-width: 100%; height: auto }
"""


def document(title: str, body: Iterable[str]) -> str:
    """One page that needs nothing else."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{STYLE}</style><body>{''.join(body)}</body></html>\n"
    )


def write_page(path: Path, page: str) -> None:
    """Write a page. Raises DataError when the disk refuses."""
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}; name another file") from error


def heading(level: int, text: str) -> str:
    """A heading of the given level."""
    return f"<h{level}>{html.escape(text)}</h{level}>"


def paragraph(text: str) -> str:
    """Plain words."""
    return f"<p>{html.escape(text)}</p>"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Lay out text cells; the first column is the row's name."""
    top = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    lines = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows)
    return f"<table><tr>{top}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def verbatim(text: str) -> str:
    """Text whose lines stay as they are."""
    return f"<pre>{html.escape(text)}</pre>"


def number(value: float | None, form: str = ".4g") -> str:
    """A number of a table's cell; a dash where there is none."""
    return "–" if value is None else format(value, form)
