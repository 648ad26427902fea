"""What the reasons of mart.decision mean, in words."""

REASONS = {
    "ELIG": "the offer is not open to this customer",
    "STATUS": "the subscriber is not active or has no number",
    "CHANNEL": "the channel does not serve this customer: what it requires is not known",
    "CONSENT": "no consent to this class of contact, or it is closed by the customer",
    "SENSITIVE": "a sensitive number or level",
    "OWNED": "the customer has it already",
    "FIT_C": "the business does not fit the channel",
    "NO_SAVING": "no proven saving, or worth no more than the contact costs",
    "BACKTEST": "the customer's bills could not be reproduced",
    "SUPPRESSED": "a rest after an answer of the customer",
    "CAP_CHANNEL": "a cap of the channel has no slot; with a winner: it got the last one",
    "CAP_ALL": "a cap over several channels has no slot; with a winner: it got the last one",
    "CONFLICT": "another campaign excludes it, or must come first",
    "QUIET": "outside the channel's hours",
    "HOLD_UNIVERSAL": "held out of all offers of the quarter",
    "HOLD_ACTIVITY": "held out of this campaign",
    "LOST_PRIORITY": "another candidate of the customer was better",
    "LOST_CAPACITY": "the channel, branch or budget was full",
}
