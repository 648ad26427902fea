"""Bills of a small synthetic province against the reference rater over what the files hold."""

from collections import Counter, defaultdict
from datetime import date
from fractions import Fraction
from pathlib import Path

from models.reference.rater import rate_month
from models.reference.tariff import Event
from tests.readers.plain_reader import accepted, truth_table

APRIL = "200904"


class Files:
    """What the files say about April, by subscriber: events, packages and items."""

    def __init__(self, landing: Path, conf):
        self.conf, self.landing = conf, landing
        self.holder = {}
        for cells in accepted(landing, conf.sources["subscriber"]):
            span = (cells["eff_time"], cells["exp_time"])
            self.holder[cells["serial_number"], cells["user_id"]] = span
        self.packages = defaultdict(dict)
        for cells in accepted(landing, conf.sources["package_subscription"], conf.tariffs):
            key = (cells["product_code"].lower(), cells["eff_date"])
            self.packages[cells["user_id"]][key] = cells["end_date"]
        self.items = defaultdict(lambda: defaultdict(Fraction))
        subscribers = {user for _, user in self.holder}
        for cells in accepted(landing, conf.sources["bill_item"], conf.tariffs, subscribers):
            code = conf.sources["bill_item"].codes["item_code"][cells["item_code"]]
            self.items[cells["user_id"]][code] += Fraction(int(cells["net_fee"]), 1000)
        self.events, self.recorded, self.mms = defaultdict(list), defaultdict(Counter), Counter()
        self._read_voice()
        self._read_messages()
        self._read_data()

    def _lines(self, name: str) -> list[dict]:
        return accepted(self.landing, self.conf.sources[name])

    def _mine(self, records: list[dict], time: str):
        for number, cells in enumerate(records):
            at = cells[time]
            users = [
                user
                for (msisdn, user), (start, end) in self.holder.items()
                if msisdn == cells["msisdn"] and start <= at < end
            ]
            assert len(users) == 1
            if at.startswith(APRIL):
                yield number, users[0], at, cells

    def _event(self, number: int, name: str, at: str, quantity: int, **facts) -> Event:
        day = date(int(at[:4]), int(at[4:6]), int(at[6:8]))
        second = int(at[8:10]) * 3600 + int(at[10:12]) * 60 + int(at[12:])
        holiday = day in self.conf.policy.calendar.holidays
        day_type = "holiday" if holiday else "weekend" if day.weekday() >= 5 else "workday"
        keys = ("direction", "roaming", "toll", "dial", "in_group", "message_kind")
        at_instant = day.toordinal() * 86400 + second
        return Event(
            number,
            name,
            *(facts.get(key) for key in keys),
            at_instant,
            day,
            second,
            day_type,
            quantity,
        )

    def _read_voice(self):
        codes = self.conf.sources["voice"].codes
        for number, user, at, cells in self._mine(self._lines("voice"), "start_time"):
            prefix = {"17951": "ip17951", "12593": "ip12593"}.get(cells["opp_no"][:5])
            dial = prefix if prefix and cells["call_type"] == "MO" else "direct"
            self.recorded[user].update(
                {
                    "d12593": int(cells["base_fee"]),
                    "toll_voice": int(cells["toll_fee"]),
                    "info": int(cells["info_fee"]),
                }
            )
            if dial != "ip12593" and cells["vpmn_flag"] == "0":
                self.events[user].append(
                    self._event(
                        number,
                        "voice",
                        at,
                        int(cells["duration"]),
                        direction=codes["direction"][cells["call_type"]],
                        roaming=codes["roaming"][cells["roam_type"]],
                        toll=codes["toll"][cells["toll_type"]],
                        dial=dial,
                        in_group=False,
                    )
                )

    def _read_messages(self):
        codes = self.conf.sources["message"].codes
        for number, user, at, cells in self._mine(self._lines("message"), "submit_time"):
            self.recorded[user]["info"] += int(cells["info_fee"])
            if codes["service"][cells["biz_type"]] == "mms":
                self.mms[user] += cells["direct"] == "0"
                continue
            self.events[user].append(
                self._event(
                    number,
                    "sms",
                    at,
                    1,
                    direction=codes["direction"][cells["direct"]],
                    roaming=codes["roaming"][cells["roam_type"]],
                    message_kind=codes["kind"][cells["biz_type"]],
                )
            )

    def _read_data(self):
        codes = self.conf.sources["data"].codes
        parts = defaultdict(list)
        for cells in self._lines("data"):
            parts[cells["charging_id"], cells["ggsn_addr"], cells["msisdn"]].append(cells)
        assert any(len(session) == 2 for session in parts.values())
        volumes = [
            sum(int(part["up_bytes"]) + int(part["down_bytes"]) for part in session)
            for session in parts.values()
        ]
        starts = [min(session, key=lambda part: part["start_time"]) for session in parts.values()]
        for number, user, at, cells in self._mine(starts, "start_time"):
            self.events[user].append(
                self._event(
                    number,
                    "data",
                    at,
                    volumes[number],
                    roaming=codes["roaming"][cells["roam_type"]],
                )
            )

    def package(self, user: str, kind: str) -> dict:
        """The package of a kind that held all April, the standard one where none did."""
        for (package, start), end in self.packages[user].items():
            document = self.conf.tariffs[package].data
            if document["kind"] == kind and start <= APRIL + "30" <= end:
                return document
        return self.conf.tariffs[self.conf.policy.rating.default_package[kind]].data


def test_bills_equal_the_reference_rater_over_the_files(delivered, conf):
    """Every April bill of a plain month: nobody joined, left, changed or was favoured."""
    landing, truth = delivered
    files, plain, commitments = Files(landing, conf), 0, 0
    for row in truth_table(truth, "bills"):
        unusual = (row["joined"], row["left"], row["package_changed"]) != ("0", "0", "0")
        if unusual or row["unstated_discount"] != "0.00":
            continue
        user, items = row["subscriber_no"], files.items[row["subscriber_no"]]
        plain += 1
        rent = Fraction(0)
        for kind in ("voice", "sms", "gprs"):
            package = files.package(user, kind)
            bill = rate_month(
                {**package, "min_commitment": "0"}, files.events[user], date(2009, 4, 1)
            )
            used = sum(line.charged for line in bill.lines.values()) + sum(bill.cap_cuts.values())
            if kind == "voice":
                assert used == sum(
                    items[code] for code in ("local_voice", "roam_voice", "toll_voice", "ip_toll")
                )
                used -= items["toll_voice"]  # charged on the record, no part of the commitment
            else:
                assert used == items[kind]
            least = Fraction(package.get("min_commitment", "0"))
            commitments += least > bill.fee + used
            rent += max(bill.fee, least - used)
        assert items["package_rent"] == rent
        assert items["mms"] == Fraction(3, 10) * files.mms[user]
        for code in ("d12593", "info", "toll_voice"):
            assert items[code] == Fraction(files.recorded[user][code], 1000)
        assert sum(items.values()) == Fraction(row["total"])
    assert plain >= 50
    assert commitments >= 1


def test_an_unstated_discount_is_missing_from_the_bill(delivered, conf):
    landing, truth = delivered
    rows = [row for row in truth_table(truth, "bills") if row["unstated_discount"] != "0.00"]
    assert rows
    bills = {
        cells["user_id"]: cells
        for cells in accepted(
            landing, conf.sources["bill"], (), {row["subscriber_no"] for row in rows}
        )
    }
    for row in rows:
        assert Fraction(int(bills[row["subscriber_no"]]["net_fee"]), 1000) == Fraction(row["total"])
        assert bills[row["subscriber_no"]]["disc_fee"] == "0"
