# Sourced by the scripts: sets up .venv from a lock file, once, and says what it does.
#
#   ensure_environment demo|dev    leaves $PYTHON, the interpreter of .venv
#
# A stamp in .venv holds the hash of what was installed, so that a second start costs nothing.

VENV=.venv
PYTHON=$VENV/bin/python
UV=$VENV/bin/uv
UV_VERSION=0.13.8

say() { printf '\033[2m%s\033[0m\n' "$*" >&2; }

find_python() {
    local candidate
    for candidate in "${TIDECAST_PYTHON:-python3}" python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Tidecast needs Python 3.11 or newer: install it, or name it in TIDECAST_PYTHON." >&2
    exit 69
}

ensure_uv() {
    [ -x "$UV" ] && return
    local base
    base=$(find_python)
    say "creating $VENV with $("$base" --version)"
    "$base" -m venv "$VENV"
    "$PYTHON" -m pip install --quiet --disable-pip-version-check "uv==$UV_VERSION"
}

ensure_environment() {
    local lock=requirements/$1.lock stamp=$VENV/installed-$1 wanted
    wanted=$(cat pyproject.toml "$lock" | cksum)
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return
    ensure_uv
    say "installing $lock (once)"
    VIRTUAL_ENV=$PWD/$VENV "$UV" pip install --quiet --require-hashes -r "$lock"
    VIRTUAL_ENV=$PWD/$VENV "$UV" pip install --quiet --no-deps -e .
    echo "$wanted" >"$stamp"
    # The development set holds all that the demo needs, in the same versions.
    if [ "$1" = dev ]; then cat pyproject.toml requirements/demo.lock | cksum >"$VENV/installed-demo"; fi
}
