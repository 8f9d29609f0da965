"""The core: from scores to mastery, as pure functions of their arguments.

The way from a score to a mark: ``alignment`` says which line item speaks for which competency,
``evidence`` sees scores so, ``estimators`` make one number of it, ``rules`` say what mastery asks
for, ``judgement`` says where everybody stands, ``explanation`` says why, ``progressions`` say what
is next, ``rollup`` counts and ``passback`` plans what a gradebook shall say. ``records`` is the
vocabulary; ``columns``, ``ordering``, ``pairs``, ``samples``, ``scales`` with their ``crosswalks``,
and ``status`` carry them; ``wording`` makes sentences that can be translated.

What does not belong here: a clock, randomness, the environment, files, databases, networks,
and any package but NumPy. Whatever is needed of them comes in as an argument, so that the same
evidence, mapping and rule give the same statuses for ever.
"""
