"""The pages: rendered on the server, readable without a script, one blueprint for each capacity.

A page asks ``lti_tool.guards`` whether it may be shown and ``store`` what to show. What a launch
is, and whether it is proven, does not belong here.
"""
