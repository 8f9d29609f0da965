"""Everything between an LMS and a session of Waymark's own.

An LMS starts a login, Waymark sends the browser back to it with a fresh state and nonce, and the
LMS posts a signed token. What is believed of that token is decided here and nowhere else. PyLTI1p3
leads through the steps (``login``, ``message``); what each step believes is ours.

Pages, and who may see them, do not belong here.
"""
