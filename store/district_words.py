"""A district's own words for terms and statuses."""

from sqlalchemy import Connection, delete, select

from mapping.records import TenantId
from mapping.status import Status
from mapping.terms import RENAMED_STATUSES, USUAL, USUAL_TERMS, Forms, Term, Terms
from store.policy_changes import Author, PolicyKind, record_change
from store.session import upsert
from store.tables import district_words

_STATUS = "status."


def terms_of(connection: Connection, tenant: TenantId) -> Terms:
    """The words of a tenant; ours for what it has none for."""
    rows = connection.execute(
        select(district_words.c.term, district_words.c.singular, district_words.c.plural).where(
            district_words.c.tenant_id == tenant
        )
    )
    said = {row.term: Forms(one=row.singular, many=row.plural) for row in rows}
    if not said:
        return USUAL_TERMS
    return Terms(
        own={term: said[term.value] for term in Term if term.value in said},
        labels={one: said[_key(one)].one for one in RENAMED_STATUSES if _key(one) in said},
    )


def set_terms(connection: Connection, tenant: TenantId, terms: Terms, *, author: Author) -> int:
    """Set all words of a tenant; each that is another one stands in the trail.

    Args:
        connection: A writing transaction.
        tenant: Whose words.
        terms: What it has words of its own for; our own words are not kept.
        author: Who sets them.

    Returns:
        How many were changed.
    """
    before, after = _said(terms_of(connection, tenant)), _said(terms)
    usual = _said(USUAL_TERMS)
    changed = [key for key in usual if before[key] != after[key]]
    for key in changed:
        own = (district_words.c.tenant_id == tenant, district_words.c.term == key)
        connection.execute(delete(district_words).where(*own))
        if after[key] != usual[key]:
            forms = after[key]
            row = {"tenant_id": tenant, "term": key, "singular": forms.one, "plural": forms.many}
            upsert(connection, district_words, [row], keys=("tenant_id", "term"))
        change = author.change_of(
            PolicyKind.WORDS,
            f"what is called {usual[key].one}",
            before=_told(before[key]),
            after=_told(after[key]),
        )
        record_change(connection, tenant, change)
    return len(changed)


def _said(terms: Terms) -> dict[str, Forms]:
    labels = {one: terms.label_of(one) for one in RENAMED_STATUSES}
    return {
        **{term.value: terms.forms(term) for term in USUAL},
        **{_key(one): Forms(one=label, many=label) for one, label in labels.items()},
    }


def _key(status: Status) -> str:
    return f"{_STATUS}{status.name.lower()}"


def _told(forms: Forms) -> str:
    return forms.one if forms.one == forms.many else f"{forms.one}, {forms.many}"
