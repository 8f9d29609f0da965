"""Digests of where learners stand: what comes out as it is kept need not be read to be known so.

A digest is of what was last computed of a learner in both views and written, or found to be kept
already. Whoever writes standings takes the digests of those learners away in the same transaction
(``standing_tables.save_changes`` does, and nothing else writes them); a new one is kept only where
nobody did so since the standings were read.
"""

import secrets
from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, select

from mapping.columns import IntArray
from mapping.digests import Digests
from mapping.records import LearnerId
from store.columns import NOTHING, one_of, read_columns
from store.session import chunks, write_arrays
from store.tables import standing_digests

_KEYS = ("learner_id",)


def kept_digests(connection: Connection, learner_ids: Sequence[LearnerId]) -> Digests:
    """The digests of some learners, of each of them.

    Args:
        connection: A transaction; what is read of standings in it must be read after this.
        learner_ids: Ascending.
    """
    learner = np.array(learner_ids, dtype=np.int64)
    high, low = np.full(learner.size, NOTHING), np.zeros(learner.size, dtype=np.int64)
    table = standing_digests
    for part in chunks(learner_ids):
        found, *digest = read_columns(
            connection,
            select(table.c.learner_id, table.c.high, table.c.low).where(
                one_of(connection, table.c.learner_id, part)
            ),
        )
        row = np.searchsorted(learner, found)
        high[row], low[row] = digest
    return Digests(learner=learner, high=high, low=low)


def keep_digests(connection: Connection, digests: Digests) -> None:
    """Keep digests of standings as they are kept now.

    Args:
        connection: The writing transaction that wrote what is new of them.
        digests: Of any number of learners.
    """
    columns = {"learner_id": digests.learner, "high": digests.high, "low": digests.low}
    write_arrays(connection, standing_digests, columns, keys=_KEYS)


def take_away_digests(connection: Connection, learner: IntArray) -> None:
    """Have no digest of some learners, and leave a mark that there is another none than before.

    Args:
        connection: The transaction that writes their standings.
        learner: Ids, each once.
    """
    mark = np.full(learner.size, secrets.randbits(62))
    nothing = np.full(learner.size, NOTHING)
    keep_digests(connection, Digests(learner=learner, high=nothing, low=mark))
