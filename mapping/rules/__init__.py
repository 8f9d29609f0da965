"""What a district asks for: rules of mastery, as data.

``mastery_rule`` with its tree of ``clauses``, ``strands`` for what makes up a parent, and the
``rulebook`` of all that is set in ``scopes``, merged by ``inheritance``. Each is read from JSON,
checked with its fields named, and printed as a sentence. Judging by a rule is not done here.
"""
