# Makes .venv with exactly the packages of requirements.lock, and the softswitch command in it.
set -euo pipefail

stop() { echo "make: $*" >&2; exit 1; }

suits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

python=""
for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14; do
    if suits "$candidate"; then python=$candidate; break; fi
done
[ -n "$python" ] || stop "Python 3.11 or later is needed, and $(python3 --version 2>&1 || echo 'no python3') is what is here; install one, or say where it is: make PYTHON=/path/to/python3.11"

if [ -e .venv ] && ! suits .venv/bin/python; then rm -rf .venv; fi
if [ ! -x .venv/bin/pip ]; then
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        stop "the venv module of $python is missing; on Debian or Ubuntu: apt-get install python3-venv"
    "$python" -m venv .venv || stop ".venv could not be made with $python"
fi

echo "Installing the pinned packages into .venv (half a minute) ..."
log=.venv/install.log
.venv/bin/pip install --quiet --disable-pip-version-check uv==0.13.9 >"$log" 2>&1 ||
    { tail -5 "$log" >&2; stop "pip could not install uv; is a package index reachable? (whole log: $log)"; }
.venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes requirements.lock >"$log" 2>&1 ||
    { tail -20 "$log" >&2; stop "the packages of requirements.lock could not be installed (whole log: $log)"; }
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e . >"$log" 2>&1 ||
    { tail -20 "$log" >&2; stop "the softswitch command could not be installed (whole log: $log)"; }
