"""Finding messages by what their bodies say, without a readable word at rest: a Django app."""
