#!/usr/bin/env bash
# Builds the environment: checks Python and Java, creates the folder, installs the exact pins with uv,
# fetches Delta's jars, archives Java's classes. Restartable: existing parts are kept, damaged ones are replaced.
set -euo pipefail
venv=$1 uv_version=$2

stop() { echo "chudian: $1" >&2; exit 1; }

good_python() { # 3.11 or newer, with the module that creates environments
  "$1" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}
python=
for candidate in python3.11 python3 python3.12 python3.13; do
  if command -v "$candidate" >/dev/null && good_python "$candidate"; then python=$candidate; break; fi
done
[ -n "$python" ] || stop "Python 3.11 or newer with its venv module was not found: install it (on Debian: apt-get install python3 python3-venv) and run make again"

java=java
[ -z "${JAVA_HOME:-}" ] || java=$JAVA_HOME/bin/java
command -v "$java" >/dev/null || stop "Java was not found: install Java 17 or newer (on Debian: apt-get install openjdk-17-jre-headless) or set JAVA_HOME, and run make again"
version=$("$java" -version 2>&1 | sed -nE 's/.*version "([0-9]+).*/\1/p' | head -n 1)
[ "${version:-0}" -ge 17 ] || stop "Java 17 or newer is needed, '$java' is version ${version:-unknown}: install it or set JAVA_HOME, and run make again"

if ! "$venv/bin/python" -c '' 2>/dev/null; then
  echo "making $venv with $("$python" --version)"
  "$python" -m venv --clear "$venv"
fi
if [ "$("$venv/bin/uv" --version 2>/dev/null | cut -d' ' -f2)" != "$uv_version" ]; then
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$uv_version"
fi
echo "installing the pinned packages (about a minute the first time)"
"$venv/bin/uv" pip install --quiet --python "$venv/bin/python" \
  --constraint conf/setup/constraints.txt --build-constraint conf/setup/constraints.txt \
  --editable '.[dev]' setuptools
# Compiled at set-up: a user without write permission there would compile again on each run. Files that
# do not compile are templates in the packages, which no code imports.
"$venv/bin/python" -m compileall -qq -j 0 "$venv"/lib/python3*/site-packages || true
"$venv/bin/python" -m jobs.java.spark_jars conf/setup/spark-jars.lock
echo "archiving the classes that Java loads in a run (about a minute the first time)"
"$venv/bin/python" -m jobs.java.class_archive conf/setup/class_training.py || true   # runs do without
