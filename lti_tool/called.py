"""What things are called in a response: in the words of the district that it is for."""

from flask import g, has_request_context

from mapping.terms import USUAL_TERMS, Terms


def use_words(terms: Terms) -> None:
    """Say things in this response as a district does."""
    g.terms = terms
    # What says them may have been made already.
    g.pop("words", None)


def terms() -> Terms:
    """What things are called in this response; in ours where no district is known."""
    found: Terms = g.get("terms", USUAL_TERMS) if has_request_context() else USUAL_TERMS
    return found
