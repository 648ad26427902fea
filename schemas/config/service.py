"""services.yml as a dataclass: the businesses that a contact may be about."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    """A business. `standard`: low risk, may move to any channel."""

    id: str
    name_cn: str
    type: str
    standard: bool
