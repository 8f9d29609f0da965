"""What a competency looks like to a learner, at each level and in each language."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, select

from mapping.records import CompetencyId
from store.session import chunks, upsert
from store.tables import competency_indicators

IndicatorKey = tuple[int, str]
"""A level of the scale, from 0, and a language tag."""


def indicators_of(connection: Connection, competency: CompetencyId) -> dict[IndicatorKey, str]:
    """The indicators of a competency, by level and language."""
    rows = connection.execute(
        select(competency_indicators)
        .where(competency_indicators.c.competency_id == competency)
        .order_by(competency_indicators.c.language, competency_indicators.c.level)
    )
    return {(row.level, row.language): row.text for row in rows}


def indicators_at(
    connection: Connection, levels: Mapping[CompetencyId, int], languages: Sequence[str]
) -> dict[CompetencyId, str]:
    """What competencies look like, each at one level.

    Args:
        connection: A transaction.
        levels: The level of each competency, from 0.
        languages: Language tags, the best first.

    Returns:
        A text for each competency that has one in any of the languages.
    """
    best: dict[CompetencyId, tuple[int, str]] = {}
    for part in chunks(sorted(levels)):
        rows = connection.execute(
            select(competency_indicators).where(
                competency_indicators.c.competency_id.in_(part),
                competency_indicators.c.language.in_(languages),
            )
        )
        for row in rows:
            one = CompetencyId(row.competency_id)
            if row.level == levels[one]:
                found = languages.index(row.language), row.text
                best[one] = min(best.get(one, found), found)
    return {one: text for one, (_, text) in best.items()}


def set_indicators(
    connection: Connection, competency: CompetencyId, texts: Mapping[IndicatorKey, str]
) -> dict[IndicatorKey, str]:
    """Set some indicators; an empty text takes one away.

    Args:
        connection: A writing transaction.
        competency: Whose they are.
        texts: By level and language.

    Returns:
        Those that are others now, with their text before.
    """
    before = indicators_of(connection, competency)
    other = {key: text for key, text in texts.items() if before.get(key, "") != text}
    rows = [
        {"competency_id": competency, "level": level, "language": language, "text": text}
        for (level, language), text in other.items()
        if text
    ]
    upsert(connection, competency_indicators, rows, keys=("competency_id", "level", "language"))
    for (level, language), text in other.items():
        if not text:
            connection.execute(
                delete(competency_indicators).where(
                    competency_indicators.c.competency_id == competency,
                    competency_indicators.c.level == level,
                    competency_indicators.c.language == language,
                )
            )
    return {key: before.get(key, "") for key in other}
