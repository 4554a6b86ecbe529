"""Passwords in tests: Argon2 as ever, but without the cost that it has on purpose."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class CheapArgon2(Argon2PasswordHasher):
    """One pass over 64 KiB."""

    time_cost = 1
    memory_cost = 64
    parallelism = 1
