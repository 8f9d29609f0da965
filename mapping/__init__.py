"""The core: from scores to mastery, as pure functions of their arguments.

Here live the vocabulary (``records``) and the way from a score to a mark: ``alignment`` says
which line item speaks for which competency, ``evidence`` joins scores with it, ``estimators``
turn evidence into one number, ``rules`` say what the number must be, ``status`` says what it
is, ``trace`` says why, ``rollup`` counts it and ``passback`` plans what a gradebook shall say.
``columns``, ``scales`` and ``progressions`` carry them.

What does not belong here: a clock, randomness, the environment, files, databases, networks,
and any package but NumPy. Whatever is needed of them comes in as an argument, so that the same
evidence, mapping and rule give the same statuses for ever.
"""
