"""Open edX as an LMS: the views of its lti-consumer-xblock, served by a process of their own.

All that speaks LTI here is Open edX's code: beginning a login, the launch and its key, the key
set, the token endpoint, line items, scores, members, and the check of a deep linking answer. Ours
are the settings, two pages to begin and to look, and the answers that the rest of Open edX, which
is not installed, would give.

Run as ``python served.py FOLDER TOOL``; prints one line of JSON when it serves.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import django
from django.conf import settings
from django.core.management import call_command
from django.http import HttpResponseRedirect, JsonResponse
from django.urls import include, path
from werkzeug.serving import WSGIRequestHandler, make_server

BLOCK = "block-v1:Waymark+Maths+2026+type@lti_consumer+block@progress"
COURSE = "course-v1:Waymark+Maths+2026"
MEMBERS = {
    number: {
        "id": number,
        "username": f"learner{number}",
        "email": f"learner{number}@edx.example",
        "name": f"Learner {number}",
        "roles": ["staff"] if number == 1 else ["student"],
    }
    for number in range(1, 6)
}


def _configure(folder, url):
    settings.configure(
        SECRET_KEY="only-for-tests-only-for-tests-only",
        ALLOWED_HOSTS=["127.0.0.1"],
        LMS_ROOT_URL=url,
        PLATFORM_NAME="Open edX of the tests",
        ROOT_URLCONF="__main__",
        USAGE_ID_PATTERN=r"(?P<usage_id>[^/]+)",
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=True,
        LOGGING={
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"complaints": {"class": "logging.StreamHandler"}},
            "root": {"handlers": ["complaints"], "level": "WARNING"},
        },
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "edx.db")}
        },
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "rest_framework",
            "config_models",
            "lti_consumer",
        ],
        MIDDLEWARE=[
            "edx_django_utils.cache.middleware.RequestCacheMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
        ],
    )
    django.setup()
    call_command("migrate", verbosity=0)


def _stand_in_for_the_rest_of_open_edx():
    from lti_consumer.plugin import compat

    compat.user_has_studio_write_access = lambda _user, _course: True
    compat.get_course_members = lambda _course: {
        number: dict(member) for number, member in MEMBERS.items()
    }
    compat.merge_course_forum_roles = lambda _course, members: members
    compat.batch_get_or_create_externalids = lambda _users: {
        number: SimpleNamespace(external_user_id=f"edx-{number}") for number in MEMBERS
    }


def _registered(tool):
    from lti_consumer.models import Lti1p3Passport, LtiConfiguration

    passport = Lti1p3Passport.objects.create(
        name="Waymark", lti_1p3_tool_keyset_url=f"{tool}/lti/jwks"
    )
    return LtiConfiguration.objects.create(
        version=LtiConfiguration.LTI_1P3,
        config_store=LtiConfiguration.CONFIG_ON_DB,
        location=BLOCK,
        lti_1p3_passport=passport,
        lti_1p3_oidc_url=f"{tool}/lti/login",
        lti_1p3_launch_url=f"{tool}/lti/launch",
        lti_advantage_deep_linking_enabled=True,
        lti_advantage_deep_linking_launch_url=f"{tool}/lti/launch",
        lti_advantage_ags_mode=LtiConfiguration.LTI_ADVANTAGE_AGS_PROGRAMMATIC,
        lti_advantage_enable_nrps=True,
    )


def _start(request):
    """Begin a launch as the course page of Open edX does."""
    from lti_consumer.api import get_lti_1p3_content_url, get_lti_1p3_launch_start_url
    from lti_consumer.data import Lti1p3LaunchData
    from lti_consumer.models import LtiConfiguration

    launch = Lti1p3LaunchData(
        user_id="1",
        external_user_id=request.GET["user"],
        user_role=request.GET["role"],
        config_id=LtiConfiguration.objects.get().config_id,
        resource_link_id=BLOCK,
        name=request.GET.get("name"),
        context_id=COURSE,
        context_type=["course_offering"],
        context_title="Mathematics",
        context_label="Maths",
    )
    if "choose" in request.GET:
        return HttpResponseRedirect(get_lti_1p3_launch_start_url(launch, deep_link_launch=True))
    if "placed" in request.GET:
        return HttpResponseRedirect(get_lti_1p3_content_url(launch))
    return HttpResponseRedirect(get_lti_1p3_launch_start_url(launch))


def _chosen(_request):
    """What a deep linking answer left behind."""
    from lti_consumer.models import LtiDlContentItem

    found = [
        {"type": item.content_type, **item.attributes} for item in LtiDlContentItem.objects.all()
    ]
    return JsonResponse({"items": found})


class _QuietHandler(WSGIRequestHandler):
    def log_request(self, code="-", size="-"):
        pass


def _no_site_yet(_environ, _start_response):
    raise AssertionError


urlpatterns = []


def main(folder, tool):
    server = make_server("127.0.0.1", 0, _no_site_yet, threaded=True, request_handler=_QuietHandler)
    url = f"http://127.0.0.1:{server.server_port}"
    _configure(folder, url)
    _stand_in_for_the_rest_of_open_edx()
    urlpatterns.extend(
        [
            path("api/", include("lti_consumer.plugin.urls")),
            path("start", _start),
            path("chosen", _chosen),
        ]
    )
    from django.core.wsgi import get_wsgi_application

    registered = _registered(tool)
    server.app = get_wsgi_application()
    facts = {
        "url": url,
        "client_id": registered.lti_1p3_client_id,
        "passport": str(registered.passport_id),
        "line_items": f"{url}/api/lti_consumer/v1/lti/{registered.id}/lti-ags",
        "members": f"{url}/api/lti_consumer/v1/lti/{registered.id}/memberships",
    }
    print(json.dumps(facts), flush=True)  # noqa: T201 - how the test hears of it
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
