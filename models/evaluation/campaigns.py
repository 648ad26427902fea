"""Which of many campaigns have an effect, when many are tried at once."""

from collections.abc import Mapping

import numpy as np
from statsmodels.stats.multitest import multipletests

# Of the effects that are claimed, this share is false on average, at most.
FALSE_SHARE = 0.05


def claimed(p_values: Mapping[str, float | None]) -> dict[str, bool]:
    """Benjamini-Hochberg over all campaigns with a p-value: campaign → whether it has an effect.

    A campaign without a verdict (no p-value, or not a number) claims nothing and does not count as
    tried.
    """
    judged = {name: p for name, p in p_values.items() if p is not None and not np.isnan(p)}
    found = dict.fromkeys(p_values, False)
    if judged:
        rejected = multipletests(list(judged.values()), alpha=FALSE_SHARE, method="fdr_bh")[0]
        found.update(zip(judged, map(bool, rejected), strict=True))
    return found
