#!/bin/sh
# In: pyproject.toml. Out: requirements.lock, one exact version of everything for every platform.
# Needs `uv` and the network. Every line becomes the newest that fits; KEEP=1 make lock keeps those that
# stand and only adds what new dependencies need. Torch keeps its pin, because the wheel of that exact
# version is what offline machines have at hand: raise it here, on purpose.
set -eu
cd "$(dirname "$0")/.."

torch_pin=2.13.0

uv --version >/dev/null 2>&1 || { echo "lock: needs uv (pip install uv)" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf 'torch==%s\n' "$torch_pin" > "$work/pins.txt"
[ -z "${PIP_CERT:-}" ] || { SSL_CERT_FILE=${SSL_CERT_FILE:-$PIP_CERT}; export SSL_CERT_FILE; }

# uv keeps the choices it finds in its output file, so that file starts empty unless KEEP is set. With
# wheels only, since a machine of a user need not have a compiler. Local wheel folders are left out:
# `+cpu` must not get in.
[ -z "${KEEP:-}" ] || cp requirements.lock "$work/lock.txt"
env -u UV_FIND_LINKS uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
    --constraint "$work/pins.txt" --no-annotate --no-header --quiet --output-file "$work/lock.txt"
{
    sed -n '/^#/!q; p' requirements.lock
    cat "$work/lock.txt"
} > "$work/requirements.lock"
cp "$work/requirements.lock" requirements.lock
