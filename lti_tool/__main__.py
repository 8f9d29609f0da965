"""``python -m lti_tool``: the ``waymark`` command without its script."""

from lti_tool.cli import main

main()
