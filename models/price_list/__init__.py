"""Price lists 资费价目表: each line becomes a tariff package like an existing one.

Others take:
- `lines`: the columns of a list, and the packages of its lines;
- `cell`: what a cell means, as spreadsheets write amounts, numbers and days.
"""
