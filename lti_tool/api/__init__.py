"""The JSON API: what a district's programs may ask and do, described by OpenAPI.

An operation says its address, its scope and its types once; the answer, the errors and the
description follow from that. Pages for people do not belong here.

What is answered has types of its own, which stand beside the store's dataclasses on purpose: a
program goes by them for years, and the store's may change with every release.
"""
