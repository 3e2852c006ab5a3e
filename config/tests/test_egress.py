"""Which requests go through the proxy of the environment."""

from collections.abc import Iterator

import pytest

from config.egress import through

PROXY = "http://proxy:3128"
OPENAI, IPV4, IPV6 = "https://api.openai.com/v1", "http://10.1.2.3:8000/v1", "http://[fd00::5]:8000/v1"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    through.cache_clear()
    yield
    through.cache_clear()


@pytest.mark.parametrize(
    ("url", "no_proxy"),
    [
        *[(OPENAI, told) for told in ("*", "openai.com", ".openai.com", "*.openai.com", "foo , API.openai.com ")],
        *[(OPENAI, told) for told in ("api.openai.com:443", "foo;api.openai.com", "foo api.openai.com")],
        *[(IPV4, told) for told in ("10.1.2.3", "10.1.2.3:8000", "10.0.0.0/8", "10.1.2.3/8")],
        *[(IPV6, told) for told in ("fd00::5", "[fd00::5]", "[fd00::5]:8000", "fd00::/8")],
        ("http://vllm:8000", "vllm"),
        ("http://vllm.svc.cluster.local./v1", ".cluster.local"),
        ("http://localhost:1", ""),
        ("http://127.5.5.5:1", ""),
        ("http://[::1]:1", ""),
    ],
)
def test_what_no_proxy_names_in_any_spelling_is_asked_directly(
    monkeypatch: pytest.MonkeyPatch, url: str, no_proxy: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert through(url) == {}


@pytest.mark.parametrize(
    ("url", "no_proxy"),
    [
        (OPENAI, "ai.com"),
        (OPENAI, "openai.com:80"),
        (OPENAI, "api.openai.com.evil"),
        (IPV4, "10.1.3.0/24"),
        (OPENAI, ", ."),
    ],
)
def test_what_no_proxy_does_not_name_is_asked_through_the_proxy(
    monkeypatch: pytest.MonkeyPatch, url: str, no_proxy: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", f" {PROXY} ")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert str(through(url)["proxy"]) == PROXY


@pytest.mark.parametrize("proxy", ["socks5://proxy:1080", "http://proxy:port", "http://", "ftp://proxy"])
def test_a_proxy_that_speaks_no_http_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ValueError):
        through(OPENAI)


def test_a_blank_proxy_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", " ")
    assert through(OPENAI) == {}
