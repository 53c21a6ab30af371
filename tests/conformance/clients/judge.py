"""Official clients judge the simulator: Google's and Dropbox's Python packages hold a scripted session with it, and answers in Graph's form
are checked against Microsoft's schemas where these are at hand. What these decoders refuse, a connector must not have been built on.

    judge.py SIMULATOR      path of the program revtrail-simulator
"""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
TENANT = "6d1c0a4e-9c1f-4a46-8f3e-2b1d7c5a9e10"
DATA = os.environ.get("REVTRAIL_TEST_DATA")


class Simulator:
    """The program, told to stop when its standard input closes."""

    def __init__(self, program, *arguments):
        command = [program, "--until-stdin-closes", *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.at = json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=30)

    def control(self, method, path, body=None):
        return call(method, self.at["control"] + path, body)[1]

    def token(self, url, **form):
        form = {"client_id": self.at["client_id"], "client_secret": self.at["client_secret"], **form}
        return post_form(url, form)["access_token"]

    def refreshed(self, url):
        return self.token(url, grant_type="refresh_token", refresh_token=self.at["refresh_token"])


def call(method, url, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    if data is not None:
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.loads(refusal.read() or b"null")


def post_form(url, form):
    data = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=30) as answer:
        return json.loads(answer.read())


def expect(holds, what):
    if not holds:
        raise AssertionError(what)


# --- Google ------------------------------------------------------------------------------------------------------------------------


def check_discovery(document, name, value, at):
    """Each member has the documented JSON type. Google's own document knows every member; ours only those that revtrail asks for."""
    for member, found in value.items():
        schema = document["schemas"][name]["properties"].get(member)
        if schema is not None:
            check_member(document, schema, found, f"{at}.{member}")
        else:
            expect(document["revision"] == "0", f"{at}.{member} is not in the schema {name}")


def check_member(document, schema, found, at):
    if "$ref" in schema:
        expect(isinstance(found, dict), f"{at} is no object")
        return check_discovery(document, schema["$ref"], found, at)
    if schema["type"] == "array":
        expect(isinstance(found, list), f"{at} is no array")
        for place, item in enumerate(found):
            check_member(document, schema["items"], item, f"{at}[{place}]")
        return None
    python = {"string": str, "boolean": bool, "integer": int, "object": dict, "any": object}[schema["type"]]
    expect(isinstance(found, python), f"{at} is {type(found).__name__}, not {schema['type']}")
    if schema.get("format") == "int64":
        expect(re.fullmatch(r"-?\d+", found), f"{at} is no number in text")
    if schema.get("format") == "date-time":
        expect(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found), f"{at} is no time with milliseconds: {found}")
    return None


def google(simulator):
    from google.oauth2.credentials import Credentials
    from googleapiclient.discovery import build_from_document
    from googleapiclient.errors import HttpError

    url = simulator.at["google_drive"]
    own = json.loads((HERE / "drive.discovery.json").read_text())
    documents = [own]
    if DATA and (subset := Path(DATA, "providers/google-drive/discovery-subset.json")).exists():
        documents.append(json.loads(subset.read_text()))
    for document in documents:
        document["rootUrl"] = url + "/"
        document["baseUrl"] = url + "/drive/v3/"
    token = simulator.refreshed(url + "/token")
    seen = 0

    def judged(name, answer):
        nonlocal seen
        seen += 1
        for document in documents:
            check_discovery(document, name, answer, name)
        return answer

    drive = build_from_document(documents[-1], credentials=Credentials(token))
    judged("About", drive.about().get(fields="user").execute())
    start = judged("StartPageToken", drive.changes().getStartPageToken(supportsAllDrives=True).execute())

    files, pages = [], 0
    request = drive.files().list(q="trashed = false", pageSize=7, fields="*", corpora="user")
    while request is not None:
        page = judged("FileList", request.execute())
        files += page["files"]
        pages += 1
        request = drive.files().list_next(request, page)
    expect(pages > 1 and len(files) > 7, "the listing has several pages")
    expect(len({file["id"] for file in files}) == len(files), "no file is listed twice")

    changes, request = 0, drive.changes().list(pageToken="1", pageSize=50, includeRemoved=True, fields="*")
    while request is not None:
        page = judged("ChangeList", request.execute())
        changes += len(page["changes"])
        last, request = page, drive.changes().list_next(request, page)
    expect(changes > 0 and last["newStartPageToken"] == start["startPageToken"], "the log ends where it said")

    blobs = [file for file in files if "md5Checksum" in file]
    listed = judged("RevisionList", drive.revisions().list(fileId=blobs[0]["id"], fields="*").execute())["revisions"]
    expect(listed[-1]["id"] == blobs[0]["headRevisionId"], "the newest revision is the head")
    judged("Revision", drive.revisions().get(fileId=blobs[0]["id"], revisionId=listed[0]["id"], fields="*").execute())

    answers = {}

    def note(number, answer, error):
        answers[number] = error or judged("RevisionList", answer)

    batch = drive.new_batch_http_request(callback=note)
    for number, file in enumerate(blobs[:20]):
        batch.add(drive.revisions().list(fileId=file["id"]), request_id=str(number))
    batch.add(drive.revisions().list(fileId="nothing"), request_id="missing")
    batch.execute()
    errors = [number for number, answer in answers.items() if isinstance(answer, HttpError)]
    expect(len(answers) == len(blobs[:20]) + 1 and errors == ["missing"], f"one part of the batch fails: {errors}")
    expect(answers["missing"].resp.status == 404, "and it is not found")

    for request, status, reason in [
        (drive.files().get(fileId="nothing"), 404, "notFound"),
        (drive.about().get(), 400, "required"),
        (drive.changes().list(pageToken="garbage"), 400, "invalid"),
    ]:
        try:
            request.execute()
            raise AssertionError(f"{status} {reason} was expected")
        except HttpError as error:
            found = error.error_details[0]["reason"]
            expect((error.resp.status, found) == (status, reason), f"{error.resp.status} {found}")

    # The client's own repeats understand both ways to be throttled.
    for fault in [{"kind": "drive_rate_limit_403"}, {"kind": "throttle_429"}, {"kind": "unavailable_503"}]:
        simulator.control("POST", "/faults", [{"fault": fault, "provider": "google_drive", "operation": "about"}])
        judged("About", drive.about().get(fields="user").execute(num_retries=2))
    simulator.control("DELETE", "/faults")
    return f"{seen} answers decoded by google-api-python-client, {len(documents)} schema document(s)"


# --- Dropbox -----------------------------------------------------------------------------------------------------------------------


def dropbox_session(url):
    """A session that sends what is meant for Dropbox's hosts to the simulator."""
    import requests
    from requests.adapters import HTTPAdapter

    class Redirecting(HTTPAdapter):
        def send(self, request, **options):
            request.url = re.sub(r"^https://[^/]+", url, request.url)
            return super().send(request, **options)

    session = requests.Session()
    session.mount("https://", Redirecting())
    return session


def dropbox(simulator):
    import dropbox as package
    from dropbox.exceptions import ApiError, AuthError, BadInputError, RateLimitError
    from dropbox.files import DeletedMetadata, FileMetadata, ListRevisionsMode

    url = simulator.at["dropbox"]
    client = package.Dropbox(
        oauth2_refresh_token=simulator.at["refresh_token"],
        app_key=simulator.at["client_id"],
        app_secret=simulator.at["client_secret"],
        session=dropbox_session(url),
        max_retries_on_error=0,
        max_retries_on_rate_limit=0,
    )
    account = client.users_get_current_account()
    expect(account.root_info.root_namespace_id == account.root_info.home_namespace_id, "one namespace")

    page, pages, entries = client.files_list_folder("", recursive=True, include_deleted=True, limit=20), 1, []
    entries += page.entries
    while page.has_more:
        page = client.files_list_folder_continue(page.cursor)
        entries += page.entries
        pages += 1
    files = [entry for entry in entries if isinstance(entry, FileMetadata)]
    expect(pages > 1 and len(files) > 10, "the listing has several pages")
    expect(any(isinstance(entry, DeletedMetadata) for entry in entries), "tombstones are listed when asked for")
    again = client.files_list_folder_continue(page.cursor)
    expect((again.entries, again.has_more) == ([], False), "nothing is new")

    authors, paged = set(), 0
    for file in files[:30]:
        by_id = client.files_list_revisions(file.id, mode=ListRevisionsMode.id, limit=100)
        expect(by_id.entries[0].rev == file.rev, "the newest revision comes first")
        authors |= {entry.sharing_info.modified_by for entry in by_id.entries if entry.sharing_info}
        at_path = client.files_list_revisions(file.path_lower, limit=1)
        while at_path.has_more:
            at_path = client.files_list_revisions(file.path_lower, limit=1, before_rev=at_path.entries[-1].rev)
            paged += 1
    expect(paged > 0, "revisions are paged by before_rev")
    known = client.users_get_account_batch(sorted(filter(None, authors)))
    expect({person.account_id for person in known} == set(filter(None, authors)), "every author is known")

    def refused(error, act, holds):
        try:
            act()
        except error as found:
            expect(holds(found), f"{found!r}")
        else:
            raise AssertionError(f"{error.__name__} was expected")

    unknown = "dbid:" + "A" * 35
    refused(ApiError, lambda: client.files_list_revisions("/nothing"), lambda e: e.error.get_path().is_not_found())
    refused(ApiError, lambda: client.files_get_metadata("/nothing"), lambda e: e.error.get_path().is_not_found())
    refused(
        ApiError,
        lambda: client.files_list_revisions(files[0].id, mode=ListRevisionsMode.id, before_rev=files[0].rev),
        lambda e: e.error.is_before_rev_not_supported(),
    )
    refused(ApiError, lambda: client.users_get_account_batch([unknown]), lambda e: e.error.get_no_account() == unknown)
    refused(BadInputError, lambda: client.files_list_folder_continue("garbage"), lambda e: "cursor" in e.message)

    def plan(kind, operation, **values):
        fault = {"fault": {"kind": kind, **values}, "provider": "dropbox", "operation": operation}
        simulator.control("POST", "/faults", [fault])

    cursor = page.cursor
    plan("lost_cursor", "list_folder_continue")
    refused(ApiError, lambda: client.files_list_folder_continue(cursor), lambda e: e.error.is_reset())
    # Three forms in turn: with and without a wait in the body, and plain text.
    for _ in range(6):
        plan("throttle_429", "list_folder_continue", retry_after="1")
        refused(RateLimitError, lambda: client.files_list_folder_continue(cursor), lambda e: (e.backoff or 1) >= 1)
    plan("expired_token", "list_folder_continue")
    client.files_list_folder_continue(cursor)
    stranger = package.Dropbox("none", session=dropbox_session(url), max_retries_on_error=0)
    refused(AuthError, stranger.users_get_current_account, lambda e: e.error.is_invalid_access_token())
    simulator.control("DELETE", "/faults")
    return f"{len(entries)} entries in {pages} pages, {paged} pages of revisions decoded by the dropbox package"


# --- Microsoft ---------------------------------------------------------------------------------------------------------------------


class GraphSchemas:
    """As much of OpenAPI as the subset uses."""

    def __init__(self, path):
        import yaml

        self.document = yaml.safe_load(path.read_text())
        self.checked = 0

    def check(self, name, value):
        self.checked += 1
        self.value({"$ref": f"#/components/schemas/{name}"}, value, name)

    def resolve(self, schema):
        while "$ref" in schema:
            found = self.document
            for step in schema["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            schema = found
        return schema

    def value(self, schema, value, at):
        schema = self.resolve(schema)
        for part in schema.get("allOf", []):
            self.value(part, value, at)
        if value is None:
            return expect(schema.get("nullable", False) or "type" not in schema, f"{at} is null")
        kind = schema.get("type")
        if kind == "object" or "properties" in schema:
            expect(isinstance(value, dict), f"{at} is no object")
            for member in schema.get("required", []):
                expect(member in value, f"{at}.{member} is missing")
            for member, inner in schema.get("properties", {}).items():
                if member in value:
                    self.value(inner, value[member], f"{at}.{member}")
        elif kind == "array":
            expect(isinstance(value, list), f"{at} is no array")
            for place, item in enumerate(value):
                self.value(schema["items"], item, f"{at}[{place}]")
        elif kind in ("string", "boolean", "integer", "number"):
            python = {"string": str, "boolean": bool, "integer": int, "number": (int, float)}[kind]
            expect(isinstance(value, python), f"{at} is {type(value).__name__}, not {kind}")
            if schema.get("format") == "date-time":
                expect(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z", value), f"{at} is no time: {value}")
        return None


def graph(simulator):
    subset = Path(DATA or "/nonexistent", "providers/onedrive/openapi-subset.yaml")
    if not subset.exists():
        return "skipped: no schemas (REVTRAIL_TEST_DATA)"
    schemas = GraphSchemas(subset)
    url = simulator.at["onedrive"]
    token = simulator.token(
        f"{url}/{TENANT}/oauth2/v2.0/token", grant_type="client_credentials", scope="https://graph.microsoft.com/.default"
    )

    def ask(path, body=None, status=200):
        link = path if path.startswith("http") else f"{url}/v1.0{path}"
        method = "GET" if body is None else "POST"
        found, answer = call(method, link, body, Authorization=f"Bearer {token}")
        expect(found == status, f"{path}: {found} {answer}")
        return answer

    drive = f"/drives/{simulator.at['onedrive_drive']}"
    schemas.check("microsoft.graph.drive", ask(drive))
    schemas.check("microsoft.graph.drive", ask("/me/drive"))
    items, link = [], f"{drive}/root/delta?$top=25"
    while link:
        page = ask(link)
        schemas.check("deltaPage", page)
        items += page["value"]
        last, link = page, page.get("@odata.nextLink")
    expect("@odata.deltaLink" in last, "the round ends in a delta link")
    for item in items:
        schemas.check("microsoft.graph.driveItem", item)
    files = [item for item in items if "file" in item and "deleted" not in item]
    for file in files[:10]:
        for version in ask(f"{drive}/items/{file['id']}/versions")["value"]:
            schemas.check("microsoft.graph.driveItemVersion", version)
    schemas.check("microsoft.graph.driveItem", ask(f"{drive}/items/{files[0]['id']}"))
    parts = [{"id": str(n), "method": "GET", "url": f"{drive}/items/{file['id']}/versions"} for n, file in enumerate(files[:19])]
    parts.append({"id": "x", "method": "GET", "url": f"{drive}/items/nothing/versions"})
    answer = ask("/$batch", {"requests": parts})
    expect({part["id"] for part in answer["responses"]} == {part["id"] for part in parts}, "every part is answered")
    for part in answer["responses"]:
        expect((part["status"] == 404) == (part["id"] == "x"), f"part {part['id']}: {part['status']}")
    schemas.check("errorEnvelope", ask(f"{drive}/items/nothing", status=404))
    schemas.check("errorEnvelope", ask(f"{drive}/items/{files[0]['id']}/delta", status=501))
    simulator.control("POST", "/faults", [{"fault": {"kind": "lost_cursor"}, "provider": "onedrive", "operation": "delta"}])
    schemas.check("errorEnvelope", ask(last["@odata.deltaLink"], status=410))
    simulator.control("DELETE", "/faults")
    return f"{schemas.checked} answers checked against Microsoft's schemas"


def main():
    program = sys.argv[1]
    failed = False
    with Simulator(program, "--scenario", "incident", "--at-end", "--page-size", "25") as simulator:
        for name, judge in [("google drive", google), ("dropbox", dropbox), ("onedrive", graph)]:
            try:
                print(f"{name}: {judge(simulator)}")
            except Exception as error:
                failed = True
                print(f"{name}: FAILED: {type(error).__name__}: {error}")
                if os.environ.get("REVTRAIL_TRACE"):
                    raise
    sys.exit(failed)


main()
