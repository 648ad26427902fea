"""In which order the sources are ingested: each after those to which its records refer."""

import pytest

from jobs.plan import ingest
from schemas import config
from schemas.errors import ConfigError
from tests.given.small_configuration import CONF, write

SOURCE = """
%s:
  name_cn: a
  system: crm
  cadence: daily
  files: {folder: "{source}", pattern: "a.csv"}
  format: {delimiter: ","}
  columns: [a]
"""
OF_CUSTOMERS = (
    "  records: [{record: ods.customer, mapping: {name: a}}, {record: %s, mapping: {brand: a}}]"
)


@pytest.fixture
def conf_folder(tmp_path):
    return write(tmp_path, CONF)


def test_sources_that_wait_for_each_other_are_refused(conf_folder):
    """A subscriber refers to a customer, and a package to a subscriber."""
    ours = SOURCE % "ours" + OF_CUSTOMERS % "ods.package_subscription"
    theirs = SOURCE % "theirs" + "  record: ods.subscriber\n  mapping: {brand: a}"
    write(conf_folder, {"sources.yml": f"{ours}\n{theirs}\n"})
    with pytest.raises(ConfigError) as caught:
        ingest.steps(config.load([conf_folder]))
    assert str(caught.value) in [
        f"sources.yml: {one}: records of {one} refer to records of {other} refer to records of "
        f"{one}: no order of the sources has every reference before it; feed the tables from "
        "sources of their own"
        for one, other in (("ours", "theirs"), ("theirs", "ours"))
    ]


def test_a_source_comes_after_the_sources_that_it_refers_to(conf_folder):
    """Its own tables stand in the order of their references, whatever the file says."""
    first = SOURCE % "packages" + "  record: ods.package_subscription\n  mapping: {package_id: a}"
    both = SOURCE % "people" + OF_CUSTOMERS % "ods.subscriber"
    write(conf_folder, {"sources.yml": f"{first}\n{both}\n"})
    conf = config.load([conf_folder])
    steps = ingest.steps(conf)
    assert [step.name for step in steps] == ["ingest.people", "ingest.packages"]
    assert steps[0].writes == ("ods.customer", "ods.subscriber")
