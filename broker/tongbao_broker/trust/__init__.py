"""Everything that is believed because it was proven: keys, signatures, seals, the directory, the trail.

The only package that knows the cryptography library.
"""
