"""``waymark words``: what a district calls its terms and statuses."""

import click

from lti_tool.cli_context import (
    container_of_today,
    district_option,
    json_option,
    print_json,
    print_table,
    printable,
    tenant_of,
)
from lti_tool.wordings import WordRefused, settled, status_key
from mapping.terms import RENAMED_STATUSES, USUAL_TERMS, Term, Terms, unkind_words
from store.district_words import set_terms, terms_of
from store.policy_changes import Author
from store.session import reading, writing

_NAMES = (*(term.value for term in Term), *(status_key(one) for one in RENAMED_STATUSES))


@click.group()
def words() -> None:
    """What the district calls things on pages of teachers, learners and families."""


@words.command()
@json_option
@district_option
def show(*, is_json: bool, district: str | None) -> None:
    """Show what each term and status is called."""
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with reading(container.engine) as connection:
            now, usual = _lines(terms_of(connection, tenant)), _lines(USUAL_TERMS)
    if is_json:
        print_json({name: {"one": one, "several": many} for name, (one, many) in now.items()})
        return
    rows = [
        (name, one, many, "" if (one, many) == usual[name] else "the district's own")
        for name, (one, many) in now.items()
    ]
    print_table(("term", "one", "several", ""), rows)


@words.command("set")
@click.argument("term", type=click.Choice(_NAMES))
@click.argument("one")
@click.argument("several", default="")
@click.option("--reason", default="", help="Why; it stands in the trail.")
@click.option("--yes", "is_meant", is_flag=True, help="Do it; else only say what.")
@district_option
def set_word(
    *, term: str, one: str, several: str, reason: str, is_meant: bool, district: str | None
) -> None:
    """Call a term or a status otherwise; with "" for the word it is called as usual again.

    A term needs the word for one and the word for several: waymark words set competency skill
    skills. Without --yes it only says what would be.
    """
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with writing(container.engine) as connection:
            now = terms_of(connection, tenant)
            wanted = _changed(now, term, one=one, several=several)
            said = _lines(wanted)[term]
            click.echo(f"{term}: {printable(', '.join(dict.fromkeys(said)))}")
            for word in unkind_words(" ".join(said)):
                click.echo(f"Learners and families read this; think over: {printable(word)}")
            if not is_meant:
                click.echo("Nothing was saved. To save it, run the same with --yes.")
                return
            author = Author(by="command line", at=container.now(), reason=reason)
            count = set_terms(connection, tenant, wanted, author=author)
    click.echo("Saved." if count else "It is called so already; nothing was changed.")


def _changed(now: Terms, term: str, *, one: str, several: str) -> Terms:
    """The words with one of them changed.

    Raises:
        UsageError: It makes no word.
    """
    said = {key.value: forms.one for key, forms in now.own.items()}
    said |= {f"{key.value}_many": forms.many for key, forms in now.own.items()}
    said |= {status_key(status): label for status, label in now.labels.items()}
    said[term] = one
    if term in {known.value for known in Term}:
        said[f"{term}_many"] = several
    elif several:
        raise click.UsageError("A status has one name.")
    try:
        return settled(said)
    except WordRefused as error:
        raise click.UsageError(str(error)) from error


def _lines(terms: Terms) -> dict[str, tuple[str, str]]:
    forms = {term.value: terms.forms(term) for term in Term}
    found = {name: (one.one, one.many) for name, one in forms.items()}
    labels = {status_key(one): terms.label_of(one) for one in RENAMED_STATUSES}
    return found | {name: (label, label) for name, label in labels.items()}
