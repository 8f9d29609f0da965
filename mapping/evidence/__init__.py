"""From scores to evidence: what each gradebook cell says about which competency.

``tables`` are the columns that go in and out, ``policy`` is a district's choice of what counts,
``cells`` reads one cell, ``attempts`` chooses among several at one line item, ``joining`` sees
scores through alignments. What the evidence comes to is not told here.
"""
