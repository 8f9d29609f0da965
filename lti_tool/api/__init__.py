"""The JSON API: what a district's programs may ask and do, described by OpenAPI.

An operation says its address, its scope and its types once; the answer, the errors and the
description follow from that. Pages for people do not belong here.
"""
