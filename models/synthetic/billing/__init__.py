"""The bills of the province, rated by the reference rater, and the monthly ledgers.

models.synthetic.chunk takes the bills and the rows of the files; jobs.synthesize takes
`bills.Rates`, which is built once for all chunks.
"""
