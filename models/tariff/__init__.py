"""The tariff language: packages, their files and checks, and what an event owes under a package.

Others take:
- `catalogue`: all packages, read and checked; `package`: one package and its parts;
- `charge`, `event_kinds`, `measure`, `segmentation`, `signature`: for usage and rating;
- `amounts`: the amount columns of a bill, and rounding;
- `money_limit`: which amounts fit 64-bit integers.
"""
