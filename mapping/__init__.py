"""The core: from scores to mastery, as pure functions of their arguments.

Here live the vocabulary (``records``) and the way from a score to a mark: ``alignment`` says
which line item speaks for which competency, ``evidence`` joins scores with it as an
``evidence_policy`` says, ``estimators`` turn a sample of evidence into one number, ``rules`` with
their ``clauses``, set in the scopes of a ``rulebook``, say what mastery asks for, ``judgement``
says where everybody stands, ``strands`` make up parents, ``trace`` says why, ``progressions``
say what is next, ``rollup`` counts and ``passback`` plans what a gradebook shall say.
``columns``, ``samples``, ``scales`` and ``status`` carry them; ``wording`` words them.

What does not belong here: a clock, randomness, the environment, files, databases, networks,
and any package but NumPy. Whatever is needed of them comes in as an argument, so that the same
evidence, mapping and rule give the same statuses for ever.
"""
