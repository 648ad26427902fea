"""The synthetic province: people, usage, bills and contacts with planted truths and defects.

It knows nothing of the pipeline. jobs/synthetic takes chunk, truth and province.
"""
