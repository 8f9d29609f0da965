"""What an LMS tells by itself, between launches: events and notices.

Each is proven by its signature, put down as a signal and answered at once. Reading a course or
asking an LMS anything does not belong here.
"""
