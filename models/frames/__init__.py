"""Operations on columns and batches that know no domain.

Others take lookup, money, arrow_lists and customer_batches.
"""
