"""File formats, pure: bytes in, records out, and the other way round.

What belongs here: readers and writers of CASE, CSV and the other formats districts exchange,
with every deviation of real files they must live with. What does not: files, addresses and
databases; the caller brings the bytes and keeps the records.
"""
