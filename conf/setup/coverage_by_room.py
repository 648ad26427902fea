"""Print how much of each room's code the tests run, from the JSON report of coverage.

Code that runs in processes of its own is not seen: Spark's Python workers, nights that a test
starts and kills, what Airflow submits.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path, PurePosixPath


def by_room(files: Mapping[str, Mapping]) -> dict[str, tuple[int, int]]:
    """(lines that can run, lines that ran) of each folder with code; `files` of the JSON report."""
    rooms: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, found in files.items():
        room = rooms[PurePosixPath(name.replace("\\", "/")).parent.as_posix()]
        room[0] += found["summary"]["num_statements"]
        room[1] += found["summary"]["covered_lines"]
    return {name: (lines, ran) for name, (lines, ran) in sorted(rooms.items()) if lines}


def table(rooms: Mapping[str, tuple[int, int]]) -> str:
    """One line per room, and their sum."""
    together = tuple(map(sum, zip(*rooms.values(), strict=True)))
    lines = [f"{'room':<32}{'lines':>8}{'run':>8}{'share':>8}"]
    for name, (there, ran) in {**rooms, "all rooms": together}.items():
        lines.append(f"{name:<32}{there:>8,}{ran:>8,}{ran / there:>8.0%}")
    return "\n".join(lines)


if __name__ == "__main__":
    report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(table(by_room(report["files"])))
