"""Put Delta Lake's jars where a plain `spark-submit` of this environment finds them.

Run once by `make setup`. The Ivy that pyspark ships fetches the jars of the lock file from Maven
Central. Each is checked against its sha256 and moved into the environment's `jars` folder. A second
call finds and checks them there and needs no network. After an interrupted call nothing unchecked
is left in that folder.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from xml.sax.saxutils import quoteattr

from schemas.errors import ChudianError, ConfigError


@dataclass(frozen=True)
class Jar:
    """One line of the lock."""

    sha256: str
    organisation: str
    module: str
    version: str

    @property
    def file_name(self) -> str:
        return f"{self.module}-{self.version}.jar"


def read_lock(lock: Path) -> list[Jar]:
    """The jars of the lock; a malformed line is a ConfigError with its place."""
    jars = []
    for number, line in enumerate(lock.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split()
        if len(fields) != 4 or not re.fullmatch("[0-9a-f]{64}", fields[0]):
            raise ConfigError(
                f"{lock}:{number}: expected 'sha256 organisation module version', got {line!r}"
            )
        jars.append(Jar(*fields))
    return jars


def jars_folder() -> Path:
    """The `jars` folder of the installed pyspark, found without importing it."""
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise ChudianError("pyspark is not installed in this environment: run 'make setup'")
    return Path(spec.origin).parent / "jars"


def is_intact(jar: Jar, folder: Path) -> bool:
    """Whether the jar is in the folder with the locked content."""
    path = folder / jar.file_name
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == jar.sha256


def install(lock: Path) -> int:
    """Fetch the jars that are missing or damaged; returns how many."""
    folder = jars_folder()
    missing = [jar for jar in read_lock(lock) if not is_intact(jar, folder)]
    if not missing:
        return 0
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        fetched = _resolve(missing, folder, Path(scratch))
        for jar in missing:
            if not is_intact(jar, fetched):
                raise ChudianError(
                    f"{jar.file_name} was not fetched with the content that {lock} locks: "
                    "check the connection to Maven Central and run 'make setup' again"
                )
        for jar in missing:
            os.replace(fetched / jar.file_name, folder / jar.file_name)
    return len(missing)


def _resolve(jars: list[Jar], folder: Path, scratch: Path) -> Path:
    """Let Ivy download exactly these modules, none of their dependencies, into a scratch folder."""
    ivy = next(iter(sorted(folder.glob("ivy-*.jar"))), None)
    if ivy is None:
        raise ChudianError(f"no ivy-*.jar in {folder}: reinstall pyspark with 'make clean setup'")
    dependencies = "\n".join(
        f"<dependency org={quoteattr(jar.organisation)} name={quoteattr(jar.module)} "
        f"rev={quoteattr(jar.version)} conf='default-&gt;master' transitive='false'/>"
        for jar in jars
    )
    module = scratch / "ivy.xml"
    module.write_text(
        "<ivy-module version='2.0'><info organisation='chudian' module='spark-jars'/>"
        "<configurations><conf name='default'/></configurations>"
        f"<dependencies>{dependencies}</dependencies></ivy-module>",
        encoding="utf-8",
    )
    out = scratch / "out"
    done = subprocess.run(
        [
            java(),
            "-jar",
            str(ivy),
            "-ivy",
            str(module),
            "-cache",
            str(scratch / "cache"),
            "-retrieve",
            f"{out}/[artifact]-[revision].[ext]",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = next(
            (
                line.strip()
                for line in done.stdout.splitlines()
                if "ERROR" in line or "WARN" in line
            ),
            "no reason given",
        )
        raise ChudianError(f"Maven Central could not be read ({reason}): check the connection")
    return out


def java() -> str:
    """Java as Spark looks for it: in JAVA_HOME, then on the PATH."""
    home = os.environ.get("JAVA_HOME")
    path = (f"{home}/bin{os.pathsep}" if home else "") + os.environ.get("PATH", os.defpath)
    found = shutil.which("java", path=path)
    if found is None:
        raise ChudianError("java was not found: install Java 17 or newer, or set JAVA_HOME")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python -m jobs.java.spark_jars conf/setup/spark-jars.lock",
    )
    parser.add_argument("lock", type=Path, help="the lock file of the jars")
    try:
        fetched = install(parser.parse_args().lock)
    except ChudianError as error:
        print(f"chudian: {error}", file=sys.stderr)
        return error.exit_code
    print(f"Delta jars in place ({fetched} fetched)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
