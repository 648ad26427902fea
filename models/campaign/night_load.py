"""How many customers one night can contact over channels with capacities, the cheapest way."""

from collections.abc import Mapping
from decimal import Decimal

from scipy.optimize import linprog

Groups = Mapping[tuple[str, ...], int]


def contacts(
    groups: Groups, capacity: Mapping[str, int], cost: Mapping[str, Decimal]
) -> dict[str, int]:
    """Contacts by channel: as many customers as possible, each once; of these ways the cheapest.

    `groups`: how many customers may be contacted over just these channels. Only this campaign asks
    for the channels. The program is a flow, so its corners are whole numbers.
    """
    pairs = [(group, channel) for group in groups for channel in group]
    found = dict.fromkeys(capacity, 0)
    if not pairs:
        return found
    # One more contact may move others to dearer channels; it is worth more than all of that.
    more = (len(capacity) + 1) * max(map(float, cost.values()), default=0.0) + 1
    rows = [[float(one[0] == group) for one in pairs] for group in groups]
    rows += [[float(one[1] == channel) for one in pairs] for channel in capacity]
    solved = linprog(
        [float(cost[channel]) - more for _, channel in pairs],
        A_ub=rows,
        b_ub=[*groups.values(), *capacity.values()],
        method="highs",
    )
    for (_, channel), used in zip(pairs, solved.x, strict=True):
        found[channel] += round(used)
    return found
