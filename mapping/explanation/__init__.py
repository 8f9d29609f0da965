"""Why somebody stands where they stand, and what would change it.

``trace`` is the way in. An ``inquiry`` judges one learner and keeps what was found on the way;
``needs`` and ``trials`` ask the same judgement about evidence that is not there yet, ``advice``
picks the smallest that helps. The other modules word it, in a ``voice``. Nothing is computed a
second time by other means.
"""
