"""Where the peers run: environments of their own in the user's cache, each made once.

A folder's name holds the hash of what it was made from, so that another version of this tree finds
its own.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tidecast.local.jars import one_at_a_time, user_cache

ROOT: Final = Path(__file__).parents[2]
LOCK: Final = ROOT / "requirements" / "peers.lock"
SOURCES: Final = Path(__file__).parent / "jvm"
MADE: Final = "made"
"""An empty file in a folder that is complete."""


class ImpossibleError(RuntimeError):
    """A peer that cannot run on this machine: why, and what would help."""


def python_interpreter() -> Path:
    """The interpreter of the peers written in Python.

    Raises ImpossibleError without uv, or when a package cannot be had.
    """
    uv = _tool("uv", "pip install uv", Path(sys.executable).parent)
    version = f"python{sysconfig.get_python_version()}"

    def make(folder: Path) -> None:
        _say(f"making the environment of the Python peers, 230 MB, once: {folder}")
        interpreter = folder / "bin" / "python"
        _run(uv, "venv", "--quiet", "--python", sys.executable, str(folder))
        install = (uv, "pip", "install", "--quiet", "--python", str(interpreter))
        _run(*install, "--require-hashes", "--only-binary", ":all:", "-r", str(LOCK))

    return _made(version, [LOCK], make) / "bin" / "python"


def jvm_command(module: str, main: str, *options: str) -> tuple[str, ...]:
    """The command of a peer on the JVM: a module of `jvm/`, its main class, options of Java.

    Raises ImpossibleError without a JDK and Maven, or when an artefact cannot be had.
    """
    java = _tool("java", "install a JDK, 17 or newer")
    folder = jvm_folder()
    if not (folder / MADE).exists():
        _tool("javac", "install a JDK, 17 or newer")
        maven = _tool("mvn", "install Maven")
        _made_in(folder, lambda at: _build(maven, at))
    jars = f"{folder / module / module}.jar:{folder / module / 'lib'}/*"
    quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
    return (java, quiet, *options, "-cp", jars, main)


def locked_version(package: str) -> str:
    """The version of a package in the environment of the Python peers."""
    return _first(rf"^{package}==(\S+)", LOCK)


def jvm_version(artefact: str) -> str:
    """The version of an artefact that the peers on the JVM are built with."""
    return _first(rf"<{artefact}\.version>(.+)<", SOURCES / "pom.xml")


def _first(pattern: str, file: Path) -> str:
    found = re.search(pattern, file.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise ValueError(f"{file} names no {pattern}")
    return found[1]


def jvm_folder() -> Path:
    """Where the peers on the JVM are, or will be, built."""
    return _folder("jvm", sorted(file for file in SOURCES.rglob("*") if file.is_file()))


def _build(maven: str, folder: Path) -> None:
    _say(f"building the JVM peers with Maven, 340 MB, once: {folder}")
    _run(maven, "-q", "-B", "-f", str(SOURCES / "pom.xml"), "package", f"-Dpeers.output={folder}")


def _made(kind: str, sources: Sequence[Path], make: Callable[[Path], None]) -> Path:
    folder = _folder(kind, sources)
    _made_in(folder, make)
    return folder


def _made_in(folder: Path, make: Callable[[Path], None]) -> None:
    """Have the folder complete, made by one process at a time; leftovers are made anew."""
    with one_at_a_time(folder.with_suffix(".lock")):
        if not (folder / MADE).exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            (folder / MADE).touch()


def _folder(kind: str, sources: Sequence[Path]) -> Path:
    contents = hashlib.sha256()
    for file in sources:
        contents.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return user_cache() / "peers" / f"{kind}-{contents.hexdigest()[:12]}"


def _tool(name: str, remedy: str, beside: Path | None = None) -> str:
    """The path of a program, from one folder or from PATH."""
    found = (beside and shutil.which(name, path=beside)) or shutil.which(name)
    if found is None:
        raise ImpossibleError(f"{name} is not installed: {remedy}")
    return found


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr + done.stdout).strip().splitlines() or ["no word of it"]
        raise ImpossibleError(f"{Path(command[0]).name} failed: {words[0]}")


def _say(what: str) -> None:
    print(what, file=sys.stderr)
