"""Background work: use cases, and the queue that carries them.

``sync``, ``recompute``, ``passback`` and ``schedule`` are use cases: they know the database and
the connector protocol, and neither RQ nor Flask nor requests. ``queue`` puts work in, ``jobs``
takes it out; ``service`` is the long-running processes. Pages do not belong here, and nothing
here is imported by them but ``queue``.
"""

from bootstrap import machine

# Before anything imports NumPy: a worker's process begins with this module.
machine.sort_quickly()
