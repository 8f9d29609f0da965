"""The framework graph, and what is next in it.

``graph``: parents and children, what precedes what, equivalents. ``readiness``: what a learner may
go on to. ``pace``: how that stands to a plan.
"""
