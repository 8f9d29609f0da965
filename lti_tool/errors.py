"""What went wrong, for the person in front of the screen: one table, nothing else.

A message says what happened, what it means for them and what to do. The reference number stands
on the page and in the log, where the reason is; neither holds anything that was sent.
"""

import logging
import re
import secrets
from dataclasses import dataclass, replace
from http import HTTPStatus

import redis
import sqlalchemy
from flask import Flask, Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from lti_tool import languages
from lti_tool.api import problems
from lti_tool.api.openapi import ADDRESS as API
from lti_tool.guards import NotShownToTeachers, NotShownYet, NotThere, NotYourPage
from lti_tool.launch import refusals
from lti_tool.launch.sessions import NoSession, SessionEnded
from lti_tool.pages.administrators import NotYourRole
from mapping.wording import marked

_LOG = logging.getLogger(__name__)
_AGAIN = marked(
    "Go back to your course in the LMS and open Waymark from there again. If it happens again, "
    "give your LMS administrator the reference number below."
)
_MOST_LOGGED = 120
_ANSWERED_TO_SCRIPTS = ("launch.proof",)
_NOT_OF_PAGES = {
    HTTPStatus.NOT_FOUND: f"What there is stands in {API}/openapi.json.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Send the same again in a few minutes.",
}
"""What a program is told to do, in place of a person in an LMS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status and what the page says."""

    status: HTTPStatus
    title: str
    message: str
    advice: str = _AGAIN


_UNPROVEN = Answer(
    status=HTTPStatus.UNAUTHORIZED,
    title=marked("Waymark could not confirm this launch"),
    message=marked(
        "The launch was already used, took too long, or began in another browser or window, so "
        "Waymark shows nothing. This protects your data."
    ),
)
_NOT_AVAILABLE = Answer(
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    title=marked("Waymark is not available for the moment"),
    message=marked(
        "A part of Waymark does not answer. Nothing is lost: your grades are in the LMS."
    ),
    advice=marked(
        "Try again in a few minutes. If it lasts, give the reference number to whoever runs it."
    ),
)
_FAULT = Answer(
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    title=marked("Something went wrong in Waymark"),
    message=marked("This is a fault in Waymark, not in what you did."),
)
_NOTHING_HERE = Answer(
    status=HTTPStatus.NOT_FOUND,
    title=marked("There is nothing here"),
    message=marked("This address does not exist, or it is not part of the launch you came with."),
)

# The most particular type of an error wins, so the order of the entries means nothing.
_ANSWERS: dict[type[Exception], Answer] = {
    refusals.RequestRefused: Answer(
        status=HTTPStatus.BAD_REQUEST,
        title=marked("This is not a launch from an LMS"),
        message=marked("What the LMS sent is incomplete or not in the form of an LTI 1.3 launch."),
    ),
    refusals.RequestTooLarge: Answer(
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        title=marked("This is not a launch from an LMS"),
        message=marked("What was sent is larger than any LMS's launch."),
    ),
    refusals.WrongMediaType: Answer(
        status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        title=marked("This is not a launch from an LMS"),
        message=marked("An LMS sends a launch as a form; this is something else."),
    ),
    refusals.ForgedRequest: Answer(
        status=HTTPStatus.FORBIDDEN,
        title=marked("Waymark did not do this"),
        message=marked("The request did not come from the page of Waymark that you have open."),
        advice=marked(
            "Nothing was changed. Open Waymark from your LMS again and repeat what you did."
        ),
    ),
    refusals.TooManyRequests: Answer(
        status=HTTPStatus.TOO_MANY_REQUESTS,
        title=marked("Too many requests at once"),
        message=marked("Far more requests came from your network than a school sends."),
        advice=marked("Wait a minute, then open Waymark from your LMS again."),
    ),
    refusals.LoginRefused: Answer(
        status=HTTPStatus.NOT_FOUND,
        title=marked("Waymark does not know this LMS"),
        message=marked(
            "The LMS is not registered with Waymark, or its registration is switched off."
        ),
        advice=marked(
            "Ask your LMS administrator to compare the issuer and the client id in the LMS with "
            "those registered in Waymark, and give them the reference number below."
        ),
    ),
    refusals.ProofRefused: _UNPROVEN,
    refusals.ClaimsRefused: Answer(
        status=HTTPStatus.BAD_REQUEST,
        title=marked("Waymark cannot use this launch"),
        message=marked(
            "The LMS left out something that LTI 1.3 requires, or sent it in a wrong form."
        ),
        advice=marked(
            "Give your LMS administrator the reference number below; trying again will not do."
        ),
    ),
    refusals.MessageUnsupported: Answer(
        status=HTTPStatus.BAD_REQUEST,
        title=marked("Waymark does not do this yet"),
        message=marked(
            "The LMS asked for something other than opening Waymark, choosing links to it or "
            "reviewing a learner's work."
        ),
        advice=marked("Open Waymark from the course's navigation or from an activity instead."),
    ),
    refusals.DeploymentUnapproved: Answer(
        status=HTTPStatus.FORBIDDEN,
        title=marked("This installation is waiting for approval"),
        message=marked(
            "Your LMS is known to Waymark, but this installation of Waymark in it has not been "
            "approved."
        ),
        advice=marked(
            "An administrator of Waymark must approve the deployment. Ask your LMS "
            "administrator, and give them the reference number below."
        ),
    ),
    refusals.PlatformDeclined: Answer(
        status=HTTPStatus.BAD_REQUEST,
        title=marked("The LMS did not let you in"),
        message=marked(
            "The LMS answered with an error instead of a launch. Most often you are logged out "
            "of it, or the browser does not let it see who you are inside a frame."
        ),
        advice=marked(
            "Log in to the LMS, then open Waymark from your course, in a new tab if you can."
        ),
    ),
    refusals.KeySetUnavailable: Answer(
        status=HTTPStatus.BAD_GATEWAY,
        title=marked("The LMS cannot be reached to confirm this launch"),
        message=marked(
            "Waymark could not get the LMS's public keys, which every launch is checked with."
        ),
        advice=marked(
            "Try again in a few minutes. If it lasts, give your administrator the reference."
        ),
    ),
    refusals.InvitationRefused: Answer(
        status=HTTPStatus.FORBIDDEN,
        title=marked("This invitation cannot be used"),
        message=marked(
            "An LMS is registered with an invitation, which is good once and for a few days. The "
            "one in this address is not, or not any more."
        ),
        advice=marked(
            "Ask whoever runs Waymark for a new invitation, and paste its whole address."
        ),
    ),
    refusals.SetupRefused: Answer(
        status=HTTPStatus.FORBIDDEN,
        title="This address cannot be used",
        message=(
            "It sets Waymark up for one day. That day is over, Waymark was set up otherwise "
            "meanwhile, or a part of the address is missing."
        ),
        advice="Whoever runs Waymark gets another one by the command: waymark setup.",
    ),
    refusals.RegistrationOver: Answer(
        status=HTTPStatus.GONE,
        title=marked("This registration is over"),
        message=marked(
            "It was completed already, is under way in another window, or waited too long."
        ),
        advice=marked(
            "Look in the LMS whether Waymark is registered there. If it is not, begin again from "
            "the LMS."
        ),
    ),
    refusals.RegistrationFailed: Answer(
        status=HTTPStatus.BAD_REQUEST,
        title=marked("Waymark was not registered"),
        message=marked("The LMS and Waymark could not agree."),
        advice=marked(
            "Nothing was stored here, and the invitation can still be used. If a tool named "
            "Waymark appeared in the LMS, delete it there; then begin again."
        ),
    ),
    refusals.AccessLinkRefused: Answer(
        status=HTTPStatus.FORBIDDEN,
        title=marked("This address cannot be used"),
        message=marked(
            "Access to Canvas is authorised through an address that is good once and for a few "
            "days. This one is not, or not any more."
        ),
        advice=marked(
            "Ask whoever runs Waymark for a new one (waymark platform access), and open its whole "
            "address."
        ),
    ),
    refusals.AccessOver: Answer(
        status=HTTPStatus.GONE,
        title=marked("Waymark did not take this authorisation"),
        message=marked(
            "It was used already, took longer than ten minutes, or began in another browser, so "
            "Waymark keeps nothing of it."
        ),
        advice=marked(
            "Open the address that you were given again, and press the button there. Whether "
            "Waymark has access is told by: waymark platform list"
        ),
    ),
    refusals.AccessFailed: Answer(
        status=HTTPStatus.BAD_REQUEST,
        title=marked("Waymark has no access"),
        message=marked("Canvas and Waymark could not agree."),
        advice=marked(
            "Nothing was stored, and the address that you were given is still good: open it again "
            "when this is mended."
        ),
    ),
    # As for an address that does not exist: whether there is such a visit is nobody's business.
    NoSession: Answer(
        status=HTTPStatus.NOT_FOUND,
        title=marked("This browser has no visit here"),
        message=marked(
            "A page of Waymark belongs to the frame or tab in which the LMS opened it. It is not "
            "there in another tab, and not after a reload where the browser keeps no cookies."
        ),
        advice=marked("Go back to your course in the LMS and open Waymark from there again."),
    ),
    SessionEnded: Answer(
        status=HTTPStatus.UNAUTHORIZED,
        title=marked("Your visit has ended"),
        message=marked(
            "A visit ends two hours after its last page, twelve hours after it began, and when "
            "somebody else opens Waymark in the same browser."
        ),
        advice=marked("Go back to your course in the LMS and open Waymark from there again."),
    ),
    NotThere: _NOTHING_HERE,
    NotShownYet: Answer(
        status=HTTPStatus.FORBIDDEN,
        title=marked("Results are not shown here yet"),
        message=marked(
            "Your school is still trying Waymark out in this course. It works out results, and "
            "does not show them to learners and families yet. Nothing is missing: your grades "
            "are in the LMS as always."
        ),
        advice=marked(
            "Ask your teacher when they will be shown. Then open Waymark again as you did now."
        ),
    ),
    NotShownToTeachers: Answer(
        status=HTTPStatus.FORBIDDEN,
        title=marked("Results are not shown here yet"),
        message=marked(
            "Your district is still trying Waymark out in this course. It works out results every "
            "night, and for now only administrators see them. Nothing is written to the gradebook."
        ),
        advice=marked(
            "Nothing is wrong with your launch. If you expect to see your class, ask whoever runs "
            "Waymark in your district to set this course to advisory; you need no new link."
        ),
    ),
    NotYourPage: Answer(
        status=HTTPStatus.FORBIDDEN,
        title=marked("This page is not for your role"),
        message=marked("In this course the LMS gives you a role that this page is not made for."),
        advice=marked(
            "If your role is wrong, ask whoever runs the course to change it in the LMS."
        ),
    ),
    NotYourRole: Answer(
        status=HTTPStatus.FORBIDDEN,
        title=marked("Your role does not change this"),
        message=marked(
            "In Waymark your district gave you a role that reads this and does not change it. "
            "Nothing was changed."
        ),
        advice=marked(
            "Who may change it stands on the page People. Ask one of them, or have your role "
            "changed there."
        ),
    ),
    redis.RedisError: _NOT_AVAILABLE,
    sqlalchemy.exc.OperationalError: _NOT_AVAILABLE,
    Exception: _FAULT,
}


def register(app: Flask) -> None:
    """Have the app answer every error from the table."""
    for kind in _ANSWERS:
        app.register_error_handler(kind, _answered)
    app.register_error_handler(HTTPException, _answered_http)


def _answered(error: Exception) -> Response:
    kind = next(kind for kind in type(error).__mro__ if kind in _ANSWERS)
    answer = _ANSWERS[kind]
    if isinstance(error, refusals.RegistrationFailed | refusals.AccessFailed):
        answer = replace(answer, message=error.told)
    else:
        # What those two say is about LMSs' own words, which nobody translates.
        languages.speak()
    reference = secrets.token_hex(4)
    is_fault = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    facts = {
        "reference": reference,
        "kind": type(error).__name__,
        "reason": getattr(error, "reason", ""),
        "platform": getattr(error, "platform", 0),
        "status": answer.status.value,
        "method": request.method,
        "address": _loggable(request.url_rule.rule if request.url_rule else "unknown"),
    }
    _LOG.log(
        logging.ERROR if is_fault else logging.INFO,
        "refused %s",
        " ".join(f"{name}={value}" for name, value in facts.items()),
        extra={"refusal": facts},
        exc_info=error if answer is _FAULT else None,
    )
    if request.endpoint in _ANSWERED_TO_SCRIPTS:
        return _json(answer, reference)
    return _page(answer, reference)


def _json(answer: Answer, reference: str) -> Response:
    said = _in_the_persons_language(answer)
    body = {
        "title": said.title,
        "message": said.message,
        "advice": said.advice,
        "reference": reference,
    }
    return make_response(body, answer.status)


def _answered_http(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    if status == HTTPStatus.NOT_FOUND:
        languages.speak()
        response = _page(_NOTHING_HERE, "")
    else:
        response = _page(Answer(status=status, title=status.phrase, message=status.description), "")
    for name, value in error.get_headers():
        if name in {"Allow", "Location"}:
            response.headers[name] = value
    return response


def _page(answer: Answer, reference: str) -> Response:
    if request.path.startswith(f"{API}/"):
        told = " ".join(filter(None, (answer.message, _NOT_OF_PAGES.get(answer.status, ""))))
        cited = f" Reference: {reference}" if reference else ""
        return problems.told(problems.Refused(answer.status, told + cited))
    said = _in_the_persons_language(answer)
    page = render_template("message.html", answer=said, reference=reference)
    return make_response(page, answer.status)


def _in_the_persons_language(answer: Answer) -> Answer:
    one = languages.words().one
    return replace(
        answer, title=one(answer.title), message=one(answer.message), advice=one(answer.advice)
    )


def _loggable(text: str) -> str:
    return re.sub(r"[^\x20-\x7e]", "?", text)[:_MOST_LOGGED]
