"""The province's tables: a Django app."""
