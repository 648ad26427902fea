"""An archive of the Java classes that a run loads, so that Spark starts faster.

Made once by `make setup`: a program does what a run does, and Java writes the classes that it has
loaded and verified into a file (AppCDS). Runs map that file. It fits one Java and one set of jars,
which a note beside it holds. With others it is not used, and the next set-up makes it again.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from jobs.java.spark_jars import jars_folder, java
from schemas.errors import ChudianError

ARCHIVE, MADE_FOR = "classes.jsa", "classes.made-for"
SECONDS = 900  # for a program that takes half a minute where nothing else runs
OWN = ("-XX:SharedArchiveFile", "-XX:ArchiveClassesAtExit", "-Xshare")
# They add folders to the class path of whoever makes the archive; runs of others have none.
CLASS_PATH = ("SPARK_HOME", "SPARK_CONF_DIR", "HADOOP_CONF_DIR", "YARN_CONF_DIR")


def with_archive(java_options: str) -> str:
    """Options of Java, with those that let it use the archive where one fits.

    Options that name an archive of their own stay as they are. Java checks the class path itself.
    An archive that does not fit it is left out without a word.
    """
    if any(option in java_options for option in OWN) or not fits():
        return java_options
    quoted = (f'"{option}"' for option in _options(_place() / ARCHIVE))
    return " ".join([java_options, *quoted]).lstrip()


def _options(archive: Path) -> list[str]:
    return [f"-XX:SharedArchiveFile={archive}", "-Xshare:auto", "-Xlog:cds*=off"]


def _place() -> Path:
    """The folder of pyspark as Spark itself names it, without links."""
    return jars_folder().resolve().parent


def fits() -> bool:
    """Whether an archive is there, whole, and made for this Java and these jars."""
    note = _place() / MADE_FOR
    return note.is_file() and note.read_text(encoding="utf-8") == _made_for()


def _made_for() -> str:
    """Java, the jars and the archive itself: a digest of places, sizes and times of change."""
    place = _place()
    files = [Path(java()).resolve(), place / ARCHIVE, *sorted(place.glob("jars/*.jar"))]
    found = ((file, file.stat()) for file in files if file.is_file())
    text = "".join(f"{file} {stat.st_size} {stat.st_mtime_ns}\n" for file, stat in found)
    return hashlib.sha256(text.encode()).hexdigest() + "\n"


def make(training: Path) -> bool:
    """Make the archive with this program, unless one fits; whether it was made.

    `training` is called with the name of the file that Java is to write at its end.
    ChudianError where Java writes none or would not start with it.
    """
    if fits():
        return False
    place = _place()
    environment = {name: value for name, value in os.environ.items() if name not in CLASS_PATH}
    with tempfile.TemporaryDirectory(dir=place) as scratch:
        made = Path(scratch, ARCHIVE)
        for command in (
            [sys.executable, str(training), str(made)],
            [java(), *_options(made), "-version"],
        ):
            done = subprocess.run(
                command,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=SECONDS,
            )
            said = done.stderr.strip().splitlines()
            if done.returncode != 0 or not made.is_file():
                raise ChudianError(said[-1] if done.returncode and said else "Java wrote none")
        os.replace(made, place / ARCHIVE)
    (place / MADE_FOR).write_text(_made_for(), encoding="utf-8")
    return True


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python -m jobs.java.class_archive conf/setup/class_training.py",
    )
    parser.add_argument("training", type=Path, help="the program whose classes are archived")
    try:
        made = make(parser.parse_args().training)
    except (ChudianError, OSError, subprocess.TimeoutExpired) as error:
        print(
            f"chudian: no archive of Java's classes was made ({error}): runs do without it, "
            "each start of Spark takes some seconds more",
            file=sys.stderr,
        )
        return ChudianError.exit_code
    print(f"archive of Java's classes in place ({'made' if made else 'kept'})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
