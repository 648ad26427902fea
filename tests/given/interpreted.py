"""Spark that interprets its plans: of small ones that run once, making and compiling code takes
longer than they do."""

from collections.abc import Mapping
from pathlib import Path

SETTINGS = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}
# Of a session that ends before Java's second compiler would have paid.
SHORT_LIVED = {
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}


def write_profile(folder: Path, text: str, more: Mapping[str, str] | None = None) -> Path:
    """A configuration folder with the Spark profile `text`, interpreting, and with `more`."""
    lines = [text, *(f"{name} {value}" for name, value in (SETTINGS | dict(more or {})).items())]
    (folder / "spark").mkdir(parents=True)
    (folder / "spark" / "local.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
