"""Simulated LMSs for the demo and the tests: a drawn district, Canvas, Moodle.

Here belong: the generator of a school district, the state files of the simulated LMSs, their
REST services, their LTI platforms and a few pages to click through them. They are as strict
as the wire contracts they were written from, also where a contract is odd.

Here does not belong: anything of Waymark. The simulators import none of its packages, else
both sides could share one mistake and agree on it; and Waymark imports nothing from here.
"""
