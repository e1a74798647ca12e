"""Every command that the docs show is one: its words, options and their values are known."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from typer import BadParameter, Typer
from typer.core import TyperGroup
from typer.main import get_command

from examples.cli import app as examples
from tidecast.cli import app as tidecast
from training.cli import app as training

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
APPS: Final[dict[str, Typer]] = {
    "tidecast": tidecast,
    "python -m training": training,
    "python -m examples": examples,
}
PROGRAM: Final = rf"(?P<program>{'|'.join(APPS)}) (?P<words>[^`\n]+)"
LINE: Final = re.compile(rf"(?m)^(?: {{4}})?(?:\w+ {{2,}}|[A-Z_]+=\S+ )*{PROGRAM}$")
"""In a block of code, behind its variables, or behind what a list calls it."""
MENTION: Final = re.compile(rf"`{PROGRAM}`")


class Shown(NamedTuple):
    """A command of a page; whole where it stands in a block of code."""

    page: str
    program: str
    words: str
    whole: bool


def shown() -> list[Shown]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace(" && ", "\n")
        for form in (LINE, MENTION):
            found += [
                Shown(page.name, one["program"], one["words"].strip(), form is LINE)
                for one in form.finditer(text)
            ]
    return sorted(set(found))


@pytest.mark.parametrize("one", shown(), ids=lambda one: f"{one.page} {one.program} {one.words}")
def test_a_command_of_the_docs_is_one(one: Shown) -> None:
    words = shlex.split(one.words, comments=True)
    command = get_command(APPS[one.program])
    while words and isinstance(command, TyperGroup):
        command = command.commands[words.pop(0)]
    if isinstance(command, TyperGroup):
        assert not one.whole
        return
    try:
        command.make_context(one.program, words)
    except BadParameter as error:
        # In passing, a command may be named without what it needs. A reader's own file is not here.
        if one.whole and "does not exist" not in str(error):
            raise


def test_the_docs_show_commands_of_every_program() -> None:
    assert {one.program for one in shown() if one.whole} == set(APPS)
