#!/bin/sh
# In: Python 3.11+ with pip, pyproject.toml, requirements.lock. Out: .venv, ready for `make demo` and
# `make test`, and .venv/.shopsynth-setup, the stamp that makes a second call a no-op.
#
# Settings, all optional, from the environment:
#   PYTHON           the interpreter to build .venv with (default: the first that is 3.11 or newer)
#   EXTRAS           further extras, comma-separated: EXTRAS=text,ray make setup
#   SHOPSYNTH_TORCH  auto (default) | cpu | default | the URL of a wheel index, for ROCm or a CUDA version
# A choice is kept on later calls without it; `rm -rf .venv` forgets them all.
set -eu
cd "$(dirname "$0")/.."

venv=.venv
stamp=$venv/.shopsynth-setup
base=$venv/.shopsynth-base # the part of it that only a new .venv can change
base_extras=dev,docs,images,pii,privacy,recommend,serve,sql,text,torch,tune
newest_tried="(3, 14)" # every pinned package has a wheel up to this Python
# The one public address in this repository: PyPI carries only the CUDA build for Linux.
torch_cpu_index=https://download.pytorch.org/whl/cpu

say() { printf 'set-up: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# ---- is everything in place already? -------------------------------------------------------------

has_nvidia_gpu() { [ -e /proc/driver/nvidia/version ] || command -v nvidia-smi >/dev/null 2>&1; }

# Words, not commas, so that `sort -u` can join the default, the wanted and the installed extras.
all_extras() {
    installed=$(sed -n 's/^extras=//p' "$stamp" 2>/dev/null || true)
    printf '%s\n' "$base_extras,${EXTRAS:-},$installed" | tr ', ' '\n\n' | sed '/^$/d' | sort -u | paste -s -d , -
}

# Prints what .venv must have been built from. Only the parts of pyproject.toml that change an
# installation count: an edit to a linter's settings must not cost anybody a reinstall.
fingerprint() {
    "$1" -I -S - "$2" "$torch_wish" "$gpu" <<'PYTHON_END'
import hashlib, json, os, platform, sys, sysconfig, tomllib
extras, wish, gpu = sys.argv[1:]
digest = hashlib.sha256()
with open("pyproject.toml", "rb") as file:
    project = tomllib.load(file)
digest.update(json.dumps([project["build-system"], project["project"]], sort_keys=True).encode())
with open("requirements.lock", "rb") as file:
    digest.update(file.read())
# Console scripts hold the absolute path of the environment, so a moved tree needs a new one.
print("root=" + os.getcwd())
print("python=" + platform.python_version() + " " + sysconfig.get_platform())
print("torch=" + wish + " gpu=" + gpu)
print("extras=" + extras)
print("inputs=" + digest.hexdigest())
PYTHON_END
}

torch_wish=${SHOPSYNTH_TORCH:-$(sed -n 's/^torch=\([^ ]*\) .*/\1/p' "$base" 2>/dev/null || true)}
torch_wish=${torch_wish:-auto}
if has_nvidia_gpu; then gpu=yes; else gpu=no; fi
extras=$(all_extras)

identity() { "$1" -I -S -c 'import os, sys; print(sys.version, os.path.realpath(sys.base_prefix))' 2>/dev/null; }
is_wanted_python() { [ -z "${PYTHON:-}" ] || [ "$(identity "$PYTHON")" = "$(identity $venv/bin/python)" ]; }
is_current() {
    [ -f "$stamp" ] && [ -x $venv/bin/python ] && is_wanted_python || return 1
    [ "$(fingerprint $venv/bin/python "$extras" 2>/dev/null)" = "$(cat "$stamp")" ]
}

if is_current; then exit 0; fi

# ---- an interpreter ------------------------------------------------------------------------------

# Old syntax on purpose: this must also run on the Pythons that it refuses.
python_version() { "$1" -c 'import sys; sys.stdout.write("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null; }
is_within() { "$1" -c "import sys; sys.exit(not ($2 <= sys.version_info[:2] <= $3))" 2>/dev/null; }

find_python() {
    seen=
    newer=
    if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else set -- python3 python3.13 python3.12 python3.11 python3.14 python; fi
    for candidate in "$@"; do
        version=$(python_version "$candidate") || continue
        if is_within "$candidate" '(3, 11)' "$newest_tried"; then printf '%s' "$candidate"; return 0; fi
        if is_within "$candidate" '(3, 11)' '(9, 0)'; then newer=${newer:-$candidate}; fi
        seen="$seen $candidate is $version;"
    done
    if [ -n "$newer" ]; then
        say "$newer is newer than the Pythons that requirements.lock was checked with; a package may lack a wheel for it"
        printf '%s' "$newer"
        return 0
    fi
    say "shopsynth needs Python 3.11 or newer; found:${seen:- no working Python${PYTHON:+ at $PYTHON};}"
    say "install one (your package manager, python.org or pyenv), then: PYTHON=/path/to/python3.11 make setup"
    return 1
}

python=$(find_python) || exit 1

# ---- one set-up at a time ------------------------------------------------------------------------

# The lock belongs to descriptor 9 of this shell, so it also goes when the shell is killed.
exec 9>.venv.lock
"$python" - 9>&9 <<'PYTHON_END'
import fcntl, sys
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    sys.stderr.write("set-up: another set-up is running here; waiting for it\n")
    fcntl.flock(9, fcntl.LOCK_EX)
PYTHON_END
extras=$(all_extras)
if is_current; then exit 0; fi

# ---- the environment -----------------------------------------------------------------------------

# Packages can be changed in place; the interpreter, the place and the torch build cannot.
base_of() { sed '/^extras=/d; /^inputs=/d'; }
same_environment() {
    [ -f "$base" ] && [ -x $venv/bin/python ] && is_wanted_python || return 1
    [ "$(fingerprint $venv/bin/python x 2>/dev/null | base_of)" = "$(cat "$base")" ] || return 1
    $venv/bin/python -m pip --version >/dev/null 2>&1
}

if ! same_environment; then
    say "creating $venv with Python $(python_version "$python")"
    rm -rf $venv
    # Debian ships `venv` without `ensurepip`; the machine's own pip can then fill the environment.
    if ! "$python" -m venv $venv >/dev/null 2>&1; then
        rm -rf $venv
        "$python" -m venv --without-pip $venv || die "Python's venv module does not work; install it (Debian: apt-get install python3-venv)"
        "$python" -m pip --python $venv/bin/python install -q pip || die "no pip for $venv; install python3-venv or a pip of 22.3 or newer"
    fi
    fingerprint $venv/bin/python x | base_of > "$base"
fi
rm -f "$stamp"
venv_python=$venv/bin/python

# ---- the installer: uv where it works, else pip --------------------------------------------------

pip_setting() { "$venv_python" -m pip config list 2>/dev/null | sed -n "s/^[^=]*\.$1='\(.*\)'\$/\1/p" | head -n 1 | sed 's/\\n/ /g'; }
find_links=${PIP_FIND_LINKS:-$(pip_setting find-links)}
quiet=-q
[ ! -t 2 ] || quiet=

use_uv=no
if uv --version >/dev/null 2>&1; then # a shim may be on the path and dead
    use_uv=yes
    # uv reads none of pip's settings. Extra indexes are not passed on: uv would search them first.
    index=${PIP_INDEX_URL:-$(pip_setting index-url)}
    cert=${PIP_CERT:-$(pip_setting cert)}
    [ -z "$find_links" ] || { UV_FIND_LINKS=${UV_FIND_LINKS:-$(printf '%s' "$find_links" | tr -s ' \n' ',,')}; export UV_FIND_LINKS; }
    [ -z "$index" ] || { UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$index}; export UV_DEFAULT_INDEX; }
    [ -z "$cert" ] || { SSL_CERT_FILE=${SSL_CERT_FILE:-$cert}; export SSL_CERT_FILE; }
fi

# Anything uv cannot do (an index it does not read, say) is tried again with pip.
install() {
    if [ $use_uv = yes ]; then
        if uv pip install --python "$venv_python" --compile-bytecode $quiet "$@"; then return 0; fi
        say "uv did not manage; trying again with pip"
        use_uv=no
    fi
    "$venv_python" -m pip install --disable-pip-version-check --compile $quiet "$@"
}

# ---- torch first, and the right build of it ------------------------------------------------------

torch_pin=$(sed -n 's/^torch==\([0-9.]*\).*/\1/p' requirements.lock)
[ -n "$torch_pin" ] || die "requirements.lock has no line torch==VERSION; write it anew with: make lock"

has_local_cpu_wheel() {
    tag=$("$venv_python" -c 'import sys; print("cp%d%d" % sys.version_info[:2])')
    for place in $find_links; do
        for wheel in "${place#file://}/torch-$torch_pin+cpu-$tag-$tag-"*"$(uname -m).whl"; do
            [ ! -f "$wheel" ] || return 0
        done
    done
    return 1
}

install_cpu_torch() {
    if has_local_cpu_wheel; then
        say "torch $torch_pin: the CPU build found in the local wheel folder"
        install --no-deps "torch==$torch_pin+cpu"
    elif [ "$(uname -s)" = Darwin ]; then
        install --no-deps "torch==$torch_pin"
    else
        say "torch $torch_pin: the CPU build, about 190 MB"
        # Without dependencies: they come from the usual index, at the versions of the lock.
        # One retry: where that host is closed, the answer must not take minutes.
        (PIP_RETRIES=1 PIP_DEFAULT_TIMEOUT=20; export PIP_RETRIES PIP_DEFAULT_TIMEOUT
            install --no-deps --index-url "$torch_cpu_index" "torch==$torch_pin")
    fi
}

# `===` shuts out the CPU build, which counts as the newer version where a local folder holds it.
install_default_torch() {
    say "torch $torch_pin: the default build ($1; with CUDA on Linux, about 3 GB)"
    install -c requirements.lock "torch===$torch_pin"
}

install_torch() {
    if [ "$(uname -s) $(uname -m)" = "Darwin x86_64" ]; then
        die "torch has no wheels for macOS on Intel any more; use Linux, Windows with WSL, or a Mac with Apple silicon"
    fi
    case $torch_wish in
        cpu) install_cpu_torch ;;
        default) install_default_torch "as asked" ;;
        *://*) install --no-deps --index-url "$torch_wish" "torch==$torch_pin" ;;
        auto)
            if has_local_cpu_wheel; then
                [ $gpu = no ] || say "this machine has a GPU, but the local wheel is a CPU build; SHOPSYNTH_TORCH=default changes that"
                install_cpu_torch
            elif [ $gpu = yes ]; then
                install_default_torch "NVIDIA GPU found; SHOPSYNTH_TORCH=cpu takes the small one"
            elif ! install_cpu_torch; then
                install_default_torch "PyTorch's CPU index did not answer"
            fi ;;
        *) die "SHOPSYNTH_TORCH is '$torch_wish'; expected auto, cpu, default or the URL of a wheel index" ;;
    esac
}

case ",$extras," in *,torch,*) install_torch || die "torch could not be installed; the lines above say why" ;; esac

# ---- everything else, at the versions of the lock, then shopsynth itself -------------------------

say "installing shopsynth[$extras]"
install -c requirements.lock hatchling
install -c requirements.lock --no-build-isolation -e ".[$extras]"

fingerprint $venv_python "$extras" > "$stamp.new"
mv "$stamp.new" "$stamp"
say "done: $venv ($(du -sm $venv | cut -f 1) MB)"
