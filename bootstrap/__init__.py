"""Wiring: settings, the composition root, what runs embedded when nothing is configured.

What belongs here: reading the environment, making a container, starting and stopping processes,
loading a district from its file. What does not: anything that decides about mastery or speaks to
an LMS.
"""
