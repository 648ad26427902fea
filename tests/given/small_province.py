"""A synthetic province small enough for every test: 60 customers over 33 days, one billed month."""

from pathlib import Path

from jobs import synthesize
from tests.given.paths import CONF

FIRST, LAST = "2009-04-01", "2009-05-03"


def synthesized(folder: Path, seed: int = 7, customers: int = 60) -> tuple[Path, Path]:
    """Landing and truth of a province written below a folder.

    Tests that only read the small province take the fixture `delivered`, which makes it once.
    """
    landing, truth = folder / "landing", folder / "truth"
    code = synthesize.main(
        [
            "--conf",
            str(CONF),
            "--customers",
            str(customers),
            "--seed",
            str(seed),
            "--from-date",
            FIRST,
            "--data-date",
            LAST,
            "--landing",
            str(landing),
            "--truth",
            str(truth),
        ]
    )
    assert code == 0
    return landing, truth
