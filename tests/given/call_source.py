"""A source of calls for trials of the reading itself: seven columns, each form of file."""

from collections.abc import Mapping

COLUMNS = ("no", "caller", "called", "start", "seconds", "city", "fee")
MAPPING = {
    "call_no": "no",
    "msisdn": "caller",
    "other_party": "called",
    "direction": "'mo'",
    "duration_s": "seconds",
    "outcome": "'answered'",
    "occurred_at": "try_to_timestamp(start, 'yyyyMMddHHmmss')",
    "dial": "'direct'",
    "toll": "'local'",
    "roaming": "'home'",
    "in_group": "false",
    "home_city": "city",
    "airtime_fee": "fee",
    "toll_fee": "0",
    "info_fee": "0",
}


def overlay(
    shipped,
    files: Mapping[str, Mapping],
    forms: Mapping[str, Mapping],
    rejects: Mapping[str, str],
    **more,
) -> dict:
    """A source for each form, and none of the shipped ones: an overlay of conf/sources.yml."""
    entry = {
        "record": "ods.voice_call",
        "name_cn": "通话",
        "system": "boss",
        "cadence": "daily",
        "columns": list(COLUMNS),
        "rejects": dict(rejects),
        "mapping": MAPPING,
        **more,
    }
    return {
        **dict.fromkeys(shipped),
        **{
            name: {
                **entry,
                "format": form,
                "files": {"folder": "{source}/{data_date}", **files[name]},
            }
            for name, form in forms.items()
        },
    }
