"""A mistake in the configuration is refused with file, line and what to do."""

import pytest

from tests.given.small_configuration import edit, refusal


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (
            "sources.yml",
            "files: {folder:",
            "fils: {folder:",
            "conf/sources.yml:7: complaint.fils: unknown key, did you mean 'files'?",
        ),
        (
            "runtime.yml",
            "Asia/Shanghai",
            "Asia/Beijing",
            "conf/runtime.yml:2: timezone: unknown time zone 'Asia/Beijing': write one like "
            "Asia/Shanghai",
        ),
        (
            "runtime.yml",
            "steps: 1, files_per_day: 1}",
            'steps: 1, files_per_day: 1}\nnumbers: {national: "1[9-3]{10}"}',
            "conf/runtime.yml:6: numbers.national: no pattern of digits (bad character range 9-3): "
            "write one like 1[3-9][0-9]{9}; got '1[9-3]{10}'",
        ),
        (
            "runtime.yml",
            "steps: 1, files_per_day: 1}",
            'steps: 1, files_per_day: 1}\nnumbers: {national: "[0-9]{0,11}"}',
            "conf/runtime.yml:6: numbers.national: a number without digits has this pattern: write "
            "one like 1[3-9][0-9]{9}; got '[0-9]{0,11}'",
        ),
        (
            "runtime.yml",
            "steps: 1, files_per_day: 1}",
            'steps: 1, files_per_day: 1}\nnumbers: {national: "1(3|5).*"}',
            "conf/runtime.yml:6: numbers.national: expected digits, [3-9], {9}, | and (?: ), like "
            "1[3-9][0-9]{9}; got '1(3|5).*'",
        ),
        (
            "runtime.yml",
            "steps: 1, files_per_day: 1}",
            "steps: 1, files_per_day: 1}\nnumbers: {country_code: +86}",
            "conf/runtime.yml:6: numbers.country_code: expected a country code in quotes, like "
            '"86"; got 86',
        ),
        (
            "runtime.yml",
            "steps: 1, files_per_day: 1}",
            'steps: 1, files_per_day: 1}\nnumbers: {country_code: "+86"}',
            "conf/runtime.yml:6: numbers.country_code: expected a country code in quotes, like "
            "\"86\"; got '+86'",
        ),
        (
            "tariffs/gprs_standard.yml",
            '"0.03"',
            "0.03",
            "conf/tariffs/gprs_standard.yml:11: rules[0].rate: prices are written as strings: "
            '"0.03"',
        ),
        (
            "sources.yml",
            '"1": tariff',
            '"1": tariff, otherwise: tariff',
            "conf/sources.yml:12: complaint.codes.complaint_type.otherwise: expected 'unknown', "
            "or leave it out; got 'tariff'",
        ),
        (
            "sources.yml",
            '{"1": tariff}',
            "{otherwise: unknown}",
            "conf/sources.yml:12: complaint.codes.complaint_type.otherwise: list the known codes "
            "beside it",
        ),
        (
            "channels.yml",
            '"5.31"',
            "5.31",
            'conf/channels.yml:5: hall.unit_cost: prices are written as strings: "5.31"',
        ),
        (
            "channels.yml",
            "  capacity: 400\n",
            "",
            "conf/channels.yml:2: hall: a pushed channel needs 'capacity': write its contacts per "
            "day, 0 for none",
        ),
        (
            "channels.yml",
            "order: 1",
            "order: 2",
            "conf/channels.yml:8: web.order: 2 is already the order of 'hall': each channel needs "
            "its own",
        ),
        (
            "channels.yml",
            "hall_{yyyymmdd}",
            "hall_{yymmdd}",
            "conf/channels.yml:7: hall.push.file: unknown placeholder {yymmdd}, did you mean "
            "'yyyymmdd'?",
        ),
        (
            "campaigns/saving.yml",
            "[hall]",
            "[hal]",
            "conf/campaigns/saving.yml:6: channels[0]: unknown channel 'hal', did you mean 'hall'?",
        ),
        (
            "campaigns/saving.yml",
            "[hall]",
            "[web]",
            "conf/campaigns/saving.yml:6: channels[0]: the channel 'web' has no 'push' in "
            "channels.yml",
        ),
        (
            "campaigns/saving.yml",
            "[hall]",
            "[hall, hall]",
            "conf/campaigns/saving.yml:6: channels[1]: 'hall' is listed twice, first on line 6",
        ),
        (
            "campaigns/saving.yml",
            "{saving}",
            "{savings}",
            "conf/campaigns/saving.yml:14: script: unknown placeholder {savings}, did you mean "
            "'saving'?",
        ),
        (
            "campaigns/saving.yml",
            "{saving}",
            "{saving",
            "conf/campaigns/saving.yml:14: script: the braces do not match: '{package_name} 省 "
            "{saving'",
        ),
        (
            "campaigns/saving.yml",
            '"0.10"',
            '"1"',
            "conf/campaigns/saving.yml:9: control_share: expected 0 or more and less than 1; got 1",
        ),
        (
            "campaigns/saving.yml",
            "id: saving",
            "id: other",
            "conf/campaigns/saving.yml:2: id: expected 'saving', the name of the file; got 'other'",
        ),
        (
            "tariffs/gprs_standard.yml",
            "id: gprs_standard",
            "id: gprs_std",
            "conf/tariffs/gprs_standard.yml:2: id: expected 'gprs_standard', the name of the file; "
            "got 'gprs_std'",
        ),
        (
            "tariffs/gprs_standard.yml",
            "to: 2010-01-01",
            "to: 2009-01-01",
            "conf/tariffs/gprs_standard.yml:7: valid.to: expected a date after 2009-01-01 (the "
            "last day is not included); got 2009-01-01",
        ),
        (
            "policy.yml",
            "{gprs: gprs_standard}",
            "{gprs: gprs_standrd}",
            "conf/policy.yml:9: rating.default_package.gprs: no tariff 'gprs_standrd', "
            "did you mean 'gprs_standard'?",
        ),
        (
            "policy.yml",
            "{gprs: gprs_standard}",
            "{sms: gprs_standard}",
            "conf/policy.yml:9: rating.default_package.sms: the tariff 'gprs_standard' is of kind "
            "gprs, not sms",
        ),
        (
            "policy.yml",
            "rerated, kind: voice",
            "rerated, kind: talk",
            "conf/policy.yml:15: bill_items.local_voice.kind: expected one of voice, gprs, sms, "
            "mms, wlan; got 'talk'",
        ),
        (
            "policy.yml",
            "{treatment: rerated, kind: voice}",
            "{treatment: rerated}",
            "conf/policy.yml:15: bill_items.local_voice: a re-rated item needs 'kind': voice, "
            "gprs, sms, mms or wlan",
        ),
        (
            "policy.yml",
            "ip_only",
            "all",
            "conf/policy.yml:16: bill_items.toll_voice: direct long-distance calls are re-rated "
            "only if rating.toll_rerated is all: write treatment rerated with all, records with "
            "ip_only",
        ),
        (
            "policy.yml",
            "  months: 3",
            '  usage_elasticity: "0.1"\n  months: 3',
            "conf/policy.yml:5: rating.usage_elasticity: expected 0 to -5 with at most six "
            "decimals (usage does not grow with its price); got 0.1",
        ),
        (
            "policy.yml",
            "  months: 3",
            '  usage_elasticity: "-5.000001"\n  months: 3',
            "conf/policy.yml:5: rating.usage_elasticity: expected 0 to -5 with at most six "
            "decimals (usage does not grow with its price); got -5.000001",
        ),
        (
            "policy.yml",
            "  months: 3",
            '  usage_elasticity: "-0.0000001"\n  months: 3',
            "conf/policy.yml:5: rating.usage_elasticity: expected 0 to -5 with at most six "
            "decimals (usage does not grow with its price); got -1E-7",
        ),
        (
            "policy.yml",
            "  months: 3",
            "  priority: saving * RAND()\n  months: 3",
            "conf/policy.yml:5: rating.priority: 'rand' is not allowed in a priority; known: abs, "
            "array_contains, ceil, coalesce, floor, greatest, if, ifnull, least, nullif, nvl, "
            "round, size",
        ),
        (
            "policy.yml",
            "  months: 3",
            "  priority: if(current_date > valid, saving, 0)\n  months: 3",
            "conf/policy.yml:5: rating.priority: 'current_date' is not allowed in a priority; "
            "known: abs, array_contains, ceil, coalesce, floor, greatest, if, ifnull, least, "
            "nullif, nvl, round, size",
        ),
        (
            "policy.yml",
            "  acceptance_weight: 100",
            '  acceptance_weight: 100\n  acceptance_alarm: {level: "1.5"}',
            "conf/policy.yml:41: value.acceptance_alarm.level: expected between 0 and 1; got 1.5",
        ),
        (
            "policy.yml",
            "  months: 3",
            "  priority: (saving\n  months: 3",
            "conf/policy.yml:5: rating.priority: the parentheses do not match: (saving",
        ),
        (
            "sources.yml",
            "start_time, channel, kind]",
            "start_time, channel, kind, NO]",
            "conf/sources.yml:9: complaint.columns[5]: 'NO' is listed twice, first on line 9",
        ),
        (
            "sources.yml",
            "{source}/{data_date}",
            "{sourc}/{data_date}",
            "conf/sources.yml:7: complaint.files.folder: unknown placeholder {sourc}, "
            "did you mean 'source'?",
        ),
        (
            "sources.yml",
            "msisdn: number",
            "msisdn: nmber",
            "conf/sources.yml:15: complaint.mapping.msisdn: the file has no column 'nmber', "
            "did you mean 'number'?",
        ),
        (
            "sources.yml",
            "msisdn: number",
            'msisdn: "concat(number, \'x"',
            "conf/sources.yml:15: complaint.mapping.msisdn: a quote is not closed: concat(number, "
            "'x",
        ),
        (
            "sources.yml",
            "complaint_type: kind\n",
            "about_channel: kind\n",
            "conf/sources.yml:12: complaint.codes.complaint_type: the mapping does not fill the "
            "column of these codes, did you mean 'complaint_no'?",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            '  rejects: {warn_share: "0.2", stop_share: "0.1"}\n  mapping:\n',
            "conf/sources.yml:13: complaint.rejects: expected 0 ≤ warn_share ≤ stop_share ≤ 1",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            '  references: {warn_share: "0.2", stop_share: "0.1"}\n  mapping:\n',
            "conf/sources.yml:13: complaint.references: expected 0 ≤ warn_share ≤ stop_share ≤ 1",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            '  duplicates: {warn_share: "0.2", stop_share: "1.1"}\n  mapping:\n',
            "conf/sources.yml:13: complaint.duplicates: expected 0 ≤ warn_share ≤ stop_share ≤ 1",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            "  parts: add\n  mapping:\n",
            "conf/sources.yml:13: complaint.parts: the records of ods.complaint may be: none",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            '  owners: {warn_share: "0.2", stop_share: "1.1"}\n  mapping:\n',
            "conf/sources.yml:13: complaint.owners: expected 0 ≤ warn_share ≤ stop_share ≤ 1",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            '  volume_band: {low: "1.1", high: "2", days: 28}\n  mapping:\n',
            "conf/sources.yml:13: complaint.volume_band: expected 0 ≤ low ≤ 1 ≤ high, as shares "
            "of the usual rows",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            '  absent: {msisd: ["0"]}\n  mapping:\n',
            "conf/sources.yml:13: complaint.absent.msisd: the mapping does not fill this column, "
            "did you mean 'msisdn'?",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            "  absent: {msisdn: [0]}\n  mapping:\n",
            "conf/sources.yml:13: complaint.absent.msisdn[0]: expected text; got 0",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            "  unreadable: {msisdn: keep}\n  mapping:\n",
            "conf/sources.yml:13: complaint.unreadable.msisdn: expected one of reject, warn, "
            "absent; got 'keep'",
        ),
        (
            "runtime.yml",
            "parallel:",
            "open_ends: [2009-12-31]\nparallel:",
            "conf/runtime.yml:5: open_ends[0]: expected a day from 2050 on, for real intervals end "
            "before; got 2009-12-31",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            '  late_share: "1.01"\n  mapping:\n',
            "conf/sources.yml:13: complaint.late_share: expected a share from 0 to 1",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            '  warn: {a reason: "nosuch = 1"}\n  mapping:\n',
            "conf/sources.yml:13: complaint.warn.a reason: the file has no column 'nosuch'; "
            "known: no, number, start_time, channel, kind",
        ),
        (
            "sources.yml",
            "  mapping:\n",
            f'  warn: {{{"r" * 101}: "a = 1"}}\n  mapping:\n',
            f"conf/sources.yml:13: complaint.warn.{'r' * 101}: unknown key, expected a reason "
            "of at most 100 characters",
        ),
        (
            "sources.yml",
            'complaint_{yyyymmdd}.txt"}',
            'complaint_{yyyymmdd}.txt", control: "c.ctl", stable_s: 60}',
            "conf/sources.yml:7: complaint.files.stable_s: the control file already shows when "
            "the delivery is complete: leave this key out",
        ),
        (
            "sources.yml",
            'complaint_{yyyymmdd}.txt"}',
            'complaint_{yyyymmdd}.txt", rows_band: {low: "1.1", high: "2", days: 28}}',
            "conf/sources.yml:7: complaint.files.rows_band: expected 0 ≤ low ≤ 1 ≤ high, as "
            "shares of the usual rows",
        ),
        (
            "sources.yml",
            "  cadence: daily\n",
            "  cadence: daily\n  due_by: 5 o'clock\n",
            "conf/sources.yml:7: complaint.due_by: expected a time like 05:30; got '5 o'clock'",
        ),
        (
            "sources.yml",
            '{delimiter: "|"}',
            "{header: true}",
            "conf/sources.yml:8: complaint.format: the key 'delimiter' is missing: delimited "
            "needs it",
        ),
        (
            "sources.yml",
            '{delimiter: "|"}',
            "{kind: fixed_width}",
            "conf/sources.yml:8: complaint.format: the key 'widths' is missing: fixed_width needs "
            "it",
        ),
        (
            "sources.yml",
            '{delimiter: "|"}',
            "{kind: fixed_width, widths: [8, 11]}",
            "conf/sources.yml:8: complaint.format.widths: expected a width for each of the 5 "
            "columns; got 2",
        ),
        (
            "sources.yml",
            '{delimiter: "|"}',
            "{kind: json_lines, encoding: gb18030}",
            "conf/sources.yml:8: complaint.format.encoding: json_lines has no 'encoding'; known: "
            "kind, compression",
        ),
        (
            "sources.yml",
            '{delimiter: "|"}',
            "{kind: parquet, compression: gzip}",
            "conf/sources.yml:8: complaint.format.compression: parquet has no 'compression'; "
            "known: kind",
        ),
        (
            "sources.yml",
            '{delimiter: "|"}',
            '{delimiter: "|", multiline: true}',
            "conf/sources.yml:8: complaint.format.multiline: only a quoted field can hold line "
            "breaks: give the key 'quote'",
        ),
        (
            "sources.yml",
            '{delimiter: "|"}',
            '{delimiter: "|", quote: "|", multiline: true}',
            "conf/sources.yml:8: complaint.format.multiline: expected a quote that is not the "
            "delimiter",
        ),
        (
            "sources.yml",
            '{delimiter: "|"}',
            '{delimiter: "|", quote: "`", encoding: gb18030, multiline: true}',
            "conf/sources.yml:8: complaint.format.multiline: expected a quote that is no part of "
            'other characters of gb18030, such as "',
        ),
        (
            "sources.yml",
            '{delimiter: "|"}',
            '{delimiter: "|", quote: "“", multiline: true}',
            "conf/sources.yml:8: complaint.format.multiline: expected a quote that is no part of "
            'other characters of utf-8, such as "',
        ),
        (
            "sources.yml",
            '{delimiter: "|"}',
            "{kind: json_lines, multiline: true}",
            "conf/sources.yml:8: complaint.format.multiline: json_lines has no 'multiline'; known: "
            "kind, compression",
        ),
        (
            "sources.yml",
            '{delimiter: "|"}',
            "{kind: excel}",
            "conf/sources.yml:8: complaint.format.kind: expected one of delimited, fixed_width, "
            "json_lines, parquet; got 'excel'",
        ),
    ],
)
def test_a_mistake_is_refused_with_file_line_and_what_to_do(folder, name, old, new, message):
    edit(folder, name, old, new)
    assert refusal(folder) == message
