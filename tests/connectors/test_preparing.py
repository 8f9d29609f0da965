import pytest

from connectors.exchange import Request
from connectors.preparing import Preparation

PREPARATION = Preparation({"User-Agent": "Waymark", "Accept": "*/*"})


def prepared(method="GET", url="https://lms.example/x", **request):
    return PREPARATION.prepared(Request(method=method, url=url, **request))


@pytest.mark.parametrize(
    "url",
    [
        "https://lms.example/x?page=bookmark:WyIyMDI2%2DLTEx%7eXQ==&per_page=100",
        "https://lms.example:8443/a/b;c?type_id=1&q=a+b",
        "http://127.0.0.1:9/",
    ],
)
def test_an_address_is_sent_as_it_came(url):
    assert prepared(url=url).url == url


def test_an_address_with_what_does_not_belong_there_is_mended():
    assert prepared(url='https://lms.example/a b?q="ö"').url == (
        "https://lms.example/a%20b?q=%22%C3%B6%22"
    )


def test_parameters_are_added_in_order_and_may_repeat():
    made = prepared(url="https://lms.example/x?a=1", params=[("b[]", "2"), ("b[]", "&")])

    assert made.url == "https://lms.example/x?a=1&b%5B%5D=2&b%5B%5D=%26"


def test_a_requests_own_header_goes_before_that_of_all():
    made = prepared(headers={"accept": "application/json"})

    assert dict(made.headers) == {"User-Agent": "Waymark", "accept": "application/json"}


def test_a_form_is_encoded_and_its_length_told():
    made = prepared("POST", form=[("a[0]", "1 & 2"), ("b", "ö")])

    assert made.body == b"a%5B0%5D=1+%26+2&b=%C3%B6"
    assert made.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert made.headers["Content-Length"] == "25"


def test_a_body_that_is_encoded_already_keeps_its_type():
    made = prepared("PUT", body=b"{}", headers={"Content-Type": "application/json"})

    assert (made.body, made.headers["Content-Type"]) == (b"{}", "application/json")
    assert made.headers["Content-Length"] == "2"


def test_a_write_without_a_body_says_so():
    assert prepared("POST").headers["Content-Length"] == "0"


def test_one_requests_length_is_not_anothers():
    prepared("POST", body=b"12345")

    assert "Content-Length" not in prepared().headers


def test_hosts_do_not_share_headers():
    one = prepared(url="https://one.example/x").headers
    one["Host"] = "one.example"

    assert "Host" not in prepared(url="https://two.example/x").headers


def test_many_tokens_do_not_fill_the_memory():
    for number in range(100):
        prepared(headers={"Authorization": f"Bearer {number}"})

    assert len(PREPARATION._known) <= 32


@pytest.mark.parametrize("value", ["Bearer a\nb", "Bearer a\r\nHost: evil.example", " a"])
def test_a_header_that_would_be_two_is_refused(value):
    with pytest.raises(ValueError, match="header value"):
        prepared(headers={"Authorization": value})
