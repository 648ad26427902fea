"""Which channel a customer prefers (M2). Others take frequent (mart.channel_preference)."""
