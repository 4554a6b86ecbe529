"""Where each stream has been read to: a Django app shared by the exchange and the connectors."""
