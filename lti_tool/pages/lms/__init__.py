"""Connecting LMSs in the browser: from the desk, or before there is anybody to sit there."""
