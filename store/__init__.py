"""The database: speaks records outward, rows inward.

What belongs here: the tables, the transactions, and for each subject a module of plain functions
that take a connection (``gradebook.save_scores(connection, ...)``). What does not: decisions on
mastery, requests to an LMS, and the commit, which belongs to the caller. Tables never leave.
"""
