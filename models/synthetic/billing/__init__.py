"""The bills of the province, and the ledgers beside them."""
