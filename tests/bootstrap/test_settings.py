from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.settings import (
    NAMES,
    SettingsError,
    child_environment,
    environment_value,
    load_settings,
    new_secret,
)

SECRET = "x" * 32
WHOLE = {
    "WAYMARK_PUBLIC_URL": "https://waymark.example",
    "WAYMARK_SECRET_KEY": SECRET,
    "WAYMARK_DATABASE_URL": "postgresql://waymark@db/waymark",
    "WAYMARK_REDIS_URL": "redis://redis:6379/0",
}


def problems(**environ: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load_settings({f"WAYMARK_{name}": value for name, value in environ.items()})
    return refused.value.problems


def test_with_nothing_set_everything_lives_in_one_folder_of_this_machine():
    settings = load_settings({})

    assert settings.data_dir == Path(".waymark").absolute()
    assert settings.database_url == f"sqlite:///{settings.data_dir / 'waymark.db'}"
    assert settings.redis_url is None
    assert settings.public_url == "http://localhost:8100"


def test_with_nothing_set_nights_begin_at_two_in_each_districts_own_zone():
    settings = load_settings({})

    assert (settings.sync_at, settings.sync_timezone) == (time(2, 0), None)


def test_with_nothing_set_every_course_is_read_whole_once_a_week():
    assert load_settings({}).sweep_days == 7


@pytest.mark.parametrize("days", [0, 60])
def test_how_often_courses_are_read_whole_can_be_set(days):
    assert load_settings({"WAYMARK_SWEEP_DAYS": str(days)}).sweep_days == days


def test_every_setting_can_be_set():
    settings = load_settings(
        {
            **WHOLE,
            "WAYMARK_DATA_DIR": "/srv/waymark",
            "WAYMARK_PORT": "9000",
            "WAYMARK_SYNC_AT": "03:30",
            "WAYMARK_SYNC_TIMEZONE": "America/Sao_Paulo",
            "WAYMARK_WORKERS": "8",
            "WAYMARK_THREADS": "16",
            "WAYMARK_LOG_LEVEL": "debug",
        }
    )

    assert settings.data_dir == Path("/srv/waymark")
    assert (settings.port, settings.workers, settings.log_level) == (9000, 8, "DEBUG")
    assert settings.threads == 16
    assert settings.sync_timezone == ZoneInfo("America/Sao_Paulo")
    assert settings.sync_at == time(3, 30)
    assert settings.secret_key == SECRET
    assert settings.redis_url == "redis://redis:6379/0"


def test_the_process_environment_is_read_where_none_is_given(monkeypatch):
    monkeypatch.setenv("WAYMARK_PORT", "9123")

    assert load_settings().port == 9123


def test_the_port_is_part_of_the_default_address():
    assert load_settings({"WAYMARK_PORT": "9000"}).public_url == "http://localhost:9000"


def test_spaces_around_a_value_mean_nothing():
    assert load_settings({"WAYMARK_PORT": " 9000 "}).port == 9000


def test_an_empty_value_is_as_good_as_none():
    assert load_settings({"WAYMARK_PORT": "  "}).port == 8100


@pytest.mark.parametrize(
    "given",
    ["postgres://u@h/n", "postgresql://u@h/n", "postgresql+psycopg://u@h/n"],
)
def test_every_spelling_of_postgresql_means_the_one_driver(given):
    found = load_settings({"WAYMARK_DATABASE_URL": given}).database_url

    assert found == "postgresql+psycopg://u@h/n"


def test_a_file_of_ones_own_may_be_the_database():
    found = load_settings({"WAYMARK_DATABASE_URL": "sqlite:////srv/waymark.db"}).database_url

    assert found == "sqlite:////srv/waymark.db"


def test_names_that_platforms_as_a_service_set_are_read_too():
    settings = load_settings({"DATABASE_URL": "postgres://u@h/n", "REDIS_URL": "rediss://r"})

    assert settings.database_url == "postgresql+psycopg://u@h/n"
    assert settings.redis_url == "rediss://r"


def test_a_name_with_our_prefix_comes_before_a_platforms_own():
    settings = load_settings({"REDIS_URL": "redis://theirs", "WAYMARK_REDIS_URL": "redis://ours"})

    assert settings.redis_url == "redis://ours"


def test_a_slash_at_the_end_of_the_public_address_is_dropped():
    settings = load_settings({**WHOLE, "WAYMARK_PUBLIC_URL": "https://waymark.example/"})

    assert settings.public_url == "https://waymark.example"


def test_a_public_address_alone_is_half_an_installation_and_told_what_is_missing():
    found = problems(PUBLIC_URL="https://waymark.example")

    assert [problem.split(" must be too:")[0].split()[-1] for problem in found] == [
        "WAYMARK_SECRET_KEY",
        "WAYMARK_DATABASE_URL",
        "WAYMARK_REDIS_URL",
    ]


def test_all_problems_are_told_at_once():
    found = problems(PORT="0", WORKERS="many", LOG_LEVEL="loud", SYNC_AT="noon", PUBLIK_URL="x")

    assert len(found) == 5


def test_the_message_of_the_error_is_its_problems_line_by_line():
    error = SettingsError(["first.", "second."])

    assert str(error) == "first.\nsecond."


def test_a_misspelt_name_is_answered_with_the_right_one():
    (problem,) = problems(DATABSE_URL="sqlite:///x")

    assert problem == (
        "WAYMARK_DATABSE_URL is not a setting of Waymark; did you mean WAYMARK_DATABASE_URL?"
    )


def test_a_name_like_no_other_is_answered_with_all_there_are():
    (problem,) = problems(QQQQQQQQQQQQQQ="x")

    assert all(name in problem for name in NAMES)


def test_names_of_other_programs_are_none_of_our_business():
    assert load_settings({"WAYMARKER": "x", "PORT": "nonsense"}).port == 8100


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "http"),
        ("WORKERS", "0"),
        ("WORKERS", "65"),
        ("LOG_LEVEL", "TRACE"),
        ("SYNC_AT", "25:00"),
        ("SYNC_AT", "02:00+01:00"),
        ("SYNC_TIMEZONE", "Brasilia"),
        ("SYNC_TIMEZONE", "America"),
        ("SYNC_TIMEZONE", "../etc/passwd"),
        ("DATABASE_URL", "mysql://db/waymark"),
        ("DATABASE_URL", "postgresql://"),
        ("DATABASE_URL", "sqlite://"),
        ("REDIS_URL", "http://redis"),
        ("REDIS_URL", "redis://redis:port/0"),
        ("REDIS_URL", "redis://redis:0/0"),
        ("REDIS_URL", "redis://"),
        ("DATA_DIR", "~nobody-of-this-name/x"),
        ("PUBLIC_URL", "http://waymark.example"),
        ("PUBLIC_URL", "https://waymark.example/path"),
        ("PUBLIC_URL", "https://waymark.example?x=1"),
        ("PUBLIC_URL", "https://waymark.example#x"),
        ("PUBLIC_URL", "https://waymark.example:port"),
        ("PUBLIC_URL", "https://waymark.example:0"),
        ("PUBLIC_URL", "https://somebody@waymark.example"),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "https://[::1"),
        ("PUBLIC_URL", "waymark.example"),
    ],
)
def test_a_value_that_cannot_be_is_told_with_what_it_must_be(name, value):
    (problem,) = problems(**{name: value})

    assert problem.startswith(f"WAYMARK_{name} must be ")


def test_a_short_secret_is_refused_without_being_shown():
    (problem,) = problems(SECRET_KEY="hunter2")

    assert problem == (
        "WAYMARK_SECRET_KEY must be 32 characters or more, chosen at random; what it holds is not."
    )


@given(password=st.text(st.characters(exclude_characters="\0"), min_size=4, max_size=20))
@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "PUBLIC_URL"])
@pytest.mark.parametrize("form", ["mysql://u:{}@host/x", "u:{}@host", "http://host?password={}"])
def test_a_password_in_a_wrong_address_is_never_shown(form, name, password):
    secret = f"<{password}>"

    assert secret not in "\n".join(problems(**{name: form.format(secret)}))


@given(
    st.dictionaries(
        st.one_of(st.sampled_from(NAMES), st.text(max_size=8).map("WAYMARK_{}".format)),
        st.text(max_size=30),
        max_size=6,
    )
)
def test_any_environment_is_read_or_refused_with_sentences(environ):
    try:
        settings, found = load_settings(environ), ["read."]
    except SettingsError as refused:
        settings, found = None, refused.problems

    assert found
    assert all(problem.endswith((".", "?")) for problem in found)
    assert settings is None or 1 <= settings.port <= 65_535


@given(st.times(), st.integers(1, 65_535), st.integers(1, 64))
def test_what_can_be_set_is_read_back_as_it_was_meant(at, port, workers):
    settings = load_settings(
        {
            "WAYMARK_SYNC_AT": at.isoformat(),
            "WAYMARK_PORT": str(port),
            "WAYMARK_WORKERS": str(workers),
        }
    )

    assert (settings.sync_at, settings.port, settings.workers) == (at, port, workers)


@pytest.mark.parametrize("name", ["WORKERS", "THREADS"])
@pytest.mark.parametrize("number", ["0", "65", "many"])
def test_there_are_from_one_to_64_of_workers_and_of_threads(name, number):
    with pytest.raises(SettingsError, match=f"WAYMARK_{name} must be a number from 1 to 64"):
        load_settings({f"WAYMARK_{name}": number})


def test_a_worker_has_eight_items_in_hand_unless_told_otherwise():
    assert load_settings({}).threads == 8


def test_a_new_secret_is_long_enough_and_new_each_time():
    first, second = new_secret(), new_secret()

    assert load_settings({"WAYMARK_SECRET_KEY": first}).secret_key == first
    assert first != second


def test_a_child_has_our_environment_with_the_changes(monkeypatch):
    monkeypatch.setenv("WAYMARK_PORT", "1")
    monkeypatch.setenv("OTHER", "kept")

    child = child_environment({"WAYMARK_PORT": "2"})

    assert (child["WAYMARK_PORT"], child["OTHER"]) == ("2", "kept")


def test_a_variable_that_a_file_names_is_read_where_it_is_set(monkeypatch):
    monkeypatch.setenv("CANVAS_TOKEN", "t")

    assert environment_value("CANVAS_TOKEN") == "t"
    assert environment_value("NO_SUCH_TOKEN") is None


def test_without_a_word_no_proxy_is_trusted_and_no_former_key_known():
    settings = load_settings({})

    assert (settings.trusted_proxies, settings.former_secret_keys) == (0, ())


def test_private_networks_are_this_machine_only_where_waymark_itself_is_on_it():
    local = load_settings({})
    public = load_settings(WHOLE)

    assert [str(network) for network in local.private_networks] == ["127.0.0.0/8", "::1/128"]
    assert public.private_networks == ()


def test_networks_and_former_keys_are_lists_with_commas():
    settings = load_settings(
        {
            **WHOLE,
            "WAYMARK_PRIVATE_NETWORKS": "10.20.0.0/16, fd00::/8",
            "WAYMARK_FORMER_SECRET_KEYS": f"{'a' * 32}, {'b' * 32}",
            "WAYMARK_TRUSTED_PROXIES": "2",
        }
    )

    assert [str(network) for network in settings.private_networks] == ["10.20.0.0/16", "fd00::/8"]
    assert settings.former_secret_keys == ("a" * 32, "b" * 32)
    assert settings.trusted_proxies == 2


@pytest.mark.parametrize("given", ["10.0.0.1/8", "somewhere", "10.0.0.0/8,", "10.0.0.0/40"])
def test_a_network_that_is_none_is_told(given):
    (problem,) = problems(PRIVATE_NETWORKS=given)

    assert "WAYMARK_PRIVATE_NETWORKS must be networks such as" in problem


@pytest.mark.parametrize("given", ["-1", "6", "many"])
def test_a_number_of_proxies_that_cannot_be_is_told(given):
    (problem,) = problems(TRUSTED_PROXIES=given)

    assert "WAYMARK_TRUSTED_PROXIES must be a number from 0 to 5" in problem


def test_former_keys_are_neither_told_nor_shown():
    (problem,) = problems(FORMER_SECRET_KEYS="too short")
    settings = load_settings({"WAYMARK_FORMER_SECRET_KEYS": "f" * 32})

    assert "too short" not in problem
    assert "f" * 32 not in repr(settings)
