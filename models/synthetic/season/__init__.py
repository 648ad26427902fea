"""A season: customers and channels who answer what a night pushed, with planted truth.

`planted` says what a customer would do, whether anybody contacts him or not; `answers` lets him do
it; `rows` writes it down as the sources would. jobs.synthetic.season takes them.
"""
