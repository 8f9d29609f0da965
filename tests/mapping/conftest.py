"""How Hypothesis runs here."""

from hypothesis import settings

# A busy machine is no failure of the code: examples have no deadline of their own.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
