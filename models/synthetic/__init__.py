"""A synthetic province: invented people, usage, bills and contacts, with known truth and defects.

It knows nothing of the pipeline that is tested on it, and the pipeline knows nothing of it.
Only jobs.synthesize and jobs.synthetic use this room. They take:
- `province.Province`: the plan (seed, days, packages) from which everything follows
- `chunk`: what happens to some customers, and the rows of every source
- `truth`: what only the maker of the data can know
- `rows`: rows on their way into files
"""
