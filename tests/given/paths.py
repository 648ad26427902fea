"""Where the project and its surroundings lie, for tests."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONF = ROOT / "conf"
TARIFFS = CONF / "tariffs"
TESTS = ROOT / "tests"
GOLDEN = TESTS / "golden"
# Real data and worked cases stand beside the project; a test that needs them skips without them.
SHARED = ROOT.parent / "shared"
