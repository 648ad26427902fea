"""What campaigns do to other channels: calls after a message, transactions that move (D9, D10, S4).

Others take:
- `counted`: what both arms of a campaign did before and after, added up, and the second round;
- `effects`: rows of mart.channel_effect from these sums.
"""
