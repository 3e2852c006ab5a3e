"""Send forms to the pages from many threads, in a process of its own: failing sign-ins, or lists of people to import.

`python -m benchmarks.holding.forms --kind sign-ins --count 16 --port … --cookie … --stop …`. It goes on until the file
--stop exists. Prints one JSON object: `statuses` (how often which; 0 for no answer).
"""

import argparse
import http.client
import json
import random
import re
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
SECONDS = 60
ROWS = 2_000
BOUNDARY = "boundary-of-a-form"
LOGIN, IMPORT = "/admin/login/", "/admin/users/user/import/"


def main() -> None:
    """Read the command line, send, and print what was answered."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.holding.forms", description=__doc__)
    parser.add_argument("--kind", choices=("sign-ins", "imports"), required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cookie", default="")
    parser.add_argument("--stop", type=Path, required=True)
    options = parser.parse_args()
    with ThreadPoolExecutor(options.count) as pool:
        counted = list(pool.map(lambda _: work(options), range(options.count)))
    json.dump({"statuses": sum(counted, Counter())}, sys.stdout)


def work(options: argparse.Namespace) -> Counter[int]:
    """Send form after form and return the statuses."""
    statuses: Counter[int] = Counter()
    while not options.stop.exists():
        client = http.client.HTTPConnection("127.0.0.1", options.port, timeout=SECONDS)
        try:
            statuses[sign_in(client) if options.kind == "sign-ins" else send_list(client, options.cookie)] += 1
        except (OSError, http.client.HTTPException):
            statuses[0] += 1
        finally:
            client.close()
    return statuses


def sign_in(client: http.client.HTTPConnection) -> int:
    """Fail to sign in as somebody, and return the status."""
    status, token, cookie = form(client, LOGIN, "")
    if status != 200:
        return status
    number = f"+4915199{random.randrange(10**6):06}"
    content = urlencode({"csrfmiddlewaretoken": token, "username": number, "password": "wrong"})
    return post(client, LOGIN, content.encode(), "application/x-www-form-urlencoded", cookie)


def send_list(client: http.client.HTTPConnection, cookie: str) -> int:
    """Upload a list of people nobody has seen before, up to its preview, and return the status."""
    status, token, cookie = form(client, IMPORT, cookie)
    if status != 200:
        return status
    first = random.randrange(10**7)
    rows = "\r\n".join(f"+49152{first + number:08},Person {number}" for number in range(ROWS))
    parts = (
        ("csrfmiddlewaretoken", "", token),
        ("file", '; filename="people.csv"', f"phone_number,name\r\n{rows}\r\n"),
    )
    content = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'
        for name, more, value in parts
    )
    return post(
        client, IMPORT, f"{content}--{BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={BOUNDARY}", cookie
    )


def form(client: http.client.HTTPConnection, path: str, cookie: str) -> tuple[int, str, str]:
    """Ask for a form; return the status, its token, and the cookies to send it with."""
    client.request("GET", path, headers={"Cookie": cookie} if cookie else {})
    answer = client.getresponse()
    found = TOKEN.search(answer.read().decode(errors="replace"))
    set_cookies: SimpleCookie = SimpleCookie()
    for value in answer.headers.get_all("Set-Cookie") or ():
        set_cookies.load(value)
    cookies = [cookie] if cookie else []
    cookies += [f"{name}={morsel.value}" for name, morsel in set_cookies.items()]
    if answer.status == 200 and found is None:
        raise SystemExit(f"{path} has no form")
    return answer.status, found[1] if found else "", "; ".join(cookies)


def post(client: http.client.HTTPConnection, path: str, content: bytes, kind: str, cookie: str) -> int:
    """Send a form and return the status."""
    client.request("POST", path, content, {"Content-Type": kind, "Cookie": cookie, "Referer": "http://127.0.0.1/"})
    answer = client.getresponse()
    answer.read()
    return answer.status


if __name__ == "__main__":
    main()
