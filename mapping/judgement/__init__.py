"""Where everybody stands: evidence and rules in, standings out.

``judging`` is the way in; ``grounds`` is all that it depends on. ``verdicts`` are of a competency
by its own evidence, with ``criteria``, ``levels`` and ``retention``; ``ascent`` goes from children
to ``parents``; ``overrides`` put a person's judgement in place. Why it is so is told elsewhere.
"""
