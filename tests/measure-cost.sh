#!/usr/bin/env bash
# Calls, provider units, time and peak memory of a first harvest and of one after 1 % more edits, each beside the least that could do.
#
#   tests/measure-cost.sh [--quota[=TIMES]] [FILES [REVISIONS [onedrive|google_drive|dropbox]]]      default: 2000 5 onedrive
#
# The simulator takes 50 ms for every answer (LATENCY_MS). With --quota it refuses what is beyond the provider's published quota, or TIMES
# as much, and the harvest keeps its default pace, or TIMES as much: of 100,000 files OneDrive's smallest tier alone would take hours. The
# second harvest has the published quota and the default pace whatever TIMES is.
# Builds in release unless REVTRAIL_BIN_DIR names a directory with both programs.
set -euo pipefail
cd "$(dirname "$0")/.."
times=0
case ${1:-} in
--quota) times=1 && shift ;;
--quota=*) times=${1#--quota=} && shift ;;
esac
files=${1:-2000} revisions=${2:-5} provider=${3:-onedrive} latency=${LATENCY_MS:-50}
bin=${REVTRAIL_BIN_DIR:-}
if [ -z "$bin" ]; then
    cargo build --release -p revtrail -p revtrail-simulator
    bin=${CARGO_TARGET_DIR:-target}/release
fi
bin=$(realpath "$bin")
work=$(mktemp -d)
quota=() unit=1
if [ "$times" -gt 0 ]; then quota=(--quota "$times"); fi
"$bin/revtrail-simulator" --generate "${files}x${revisions}" --latency-ms "$latency" "${quota[@]}" >"$work/ready" 2>"$work/simulator.log" &
simulator=$!
trap 'kill "$simulator" 2>/dev/null || true; rm -rf "$work"' EXIT
until [ -s "$work/ready" ]; do sleep 0.2; kill -0 "$simulator"; done
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$work/ready" "$1"; }
url=$(field "$provider")
field client_secret >"$work/secret"
field refresh_token >"$work/refresh"
tenant=6d1c0a4e-9c1f-4a46-8f3e-2b1d7c5a9e10
case $provider in
onedrive) unit=19 account="tenant = \"$tenant\"
api_url = \"$url/v1.0\"
token_url = \"$url/$tenant/oauth2/v2.0/token\"" drive="drive = \"$(field onedrive_drive)\"" ;;
google_drive) unit=49.166 account="refresh_token_file = \"$work/refresh\"
api_url = \"$url\"
token_url = \"$url/token\"" drive= ;;
dropbox) unit=8 account="refresh_token_file = \"$work/refresh\"
api_url = \"$url\"
token_url = \"$url/oauth2/token\"" drive= ;;
esac
# The default pace, which is 49.166 lists a second for the 295,000 quota units of Google Drive.
pace=$(python3 -c 'import sys; t, u = float(sys.argv[1]), float(sys.argv[2]); print(t * u if t else 100000.0)' "$times" "$unit")
cat >"$work/revtrail.toml" <<TOML
[archive]
url = "file://$work/archive"
[signing]
key_file = "$work/key.pem"
[accounts.a]
provider = "$provider"
client_id = "$(field client_id)"
client_secret_file = "$work/secret"
requests_per_second = $pace
$account
[ledgers.l]
origin = "bench.example/l"
schedule = "0 * * * *"
retention = "1y"
[[ledgers.l.folders]]
name = "f"
account = "a"
path = "/Generated"
$drive
TOML
"$bin/revtrail" --config "$work/revtrail.toml" --quiet key generate "$work/key.pem" 2>/dev/null
"$bin/revtrail" --config "$work/revtrail.toml" --quiet init --ledger l 2>/dev/null
python3 - "$bin/revtrail" "$work" "$(field control)" "$provider" "$files" "$latency" "$times" "$unit" <<'PY'
import json, os, re, subprocess, sys, time, urllib.request

program, work, control, provider = sys.argv[1:5]
files, latency, times, pace = int(sys.argv[5]), int(sys.argv[6]) / 1000, int(sys.argv[7]), sys.argv[8]
# The simulator's folders: one for each 50 files, below one.
folders = -(-files // 50) + 1
published = {"onedrive": 1250, "google_drive": 325_000, "dropbox": 500}[provider]
per_minute = published * times


def pages(entries, size):
    return max(1, -(-entries // size))


def least(first, listed):
    """Calls (each part of a batch is one), HTTP requests, units, and seconds of latency, of the least that the API allows."""
    if provider == "onedrive":
        # The feed of the drive, a thousand entries a page, one after another; a version list for each file, twenty in a batch and eight
        # batches at a time; the token and the folder. A list costs 2, the first page of all 2, other pages and the folder 1.
        feed = pages(files + folders + 1 if first else listed, 1000)
        batches = -(-listed // 20)
        return (listed + feed + 2, batches + feed + 2, 2 * listed + feed + first + 1, feed + 2 + -(-batches // 8))
    if provider == "google_drive":
        # The log, and at first one listing for each folder, eight at a time; a revision list for each file, a hundred in a batch and four
        # batches at a time; the token, the folder and its drive, each of which costs 5, and at first the start of the log and its name.
        walk, few, batches = folders * first, 3 + 2 * first, -(-listed // 100)
        return (listed + walk + 1 + few, batches + walk + 1 + few, 100 * (listed + walk + 1) + 5 * (few - 1),
                few + 1 + -(-walk // 8) + -(-batches // 4))
    # A list for each file by id, and at first one for its place, too, four at a time; the listing without and with what was deleted, two
    # thousand entries a page; the token, the account, the folder and the authors.
    lists = listed * (1 + first)
    feed = 2 * pages(files + folders, 2000) + 1 if first else pages(listed, 2000)
    return (lists + feed + 4, lists + feed + 4, lists + feed + 3, 4 + feed + -(-lists // 4))


def ask(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(control + path, data=data)) as answer:
        return json.load(answer)


def beside(what, measured, of, form="{:,.0f}"):
    print(f"  {what:15} " + form.format(measured) + ", least " + form.format(of) + f", ratio {measured / of:.3f}")


def harvest(name, first):
    ask("/reset-counters", {})
    start = time.monotonic()
    run = subprocess.Popen([program, "--config", f"{work}/revtrail.toml", "--quiet", "--output", "json", "harvest"],
                           stdout=open(f"{work}/out", "w"), stderr=open(f"{work}/err", "w"))
    _, status, usage = os.wait4(run.pid, 0)
    seconds = time.monotonic() - start
    if os.waitstatus_to_exitcode(status) not in (0, 4):
        sys.exit(open(f"{work}/err").read())
    folder = json.load(open(f"{work}/out"))["folders"][0]
    answer = ask("/status")
    used, counts = answer["used"][provider], answer["requests"][provider]
    calls, requests, units, turns = least(first, folder["files_listed"])
    print(f"{name}: {folder['events']} events, {folder['files_listed']} files listed, window {folder['state']}, {used['refused']} refused")
    beside("calls", sum(n for call, n in counts.items() if call != "batch"), calls)
    beside("HTTP requests", used["requests"], requests)
    beside("units", used["units"], units)
    # At first a whole minute's units may go at once; in the long run this is what a quota allows.
    beside("seconds", seconds, max(turns * latency, units * 60 / per_minute if times else 0.001), "{:,.1f}")
    if times:
        print(f"  {'':15} of latency {turns * latency:,.1f}; of quota {units * 60 / per_minute:,.1f} ({per_minute:,} units a minute)")
    print(f"  {'peak memory':15} {usage.ru_maxrss / 1024:.0f} MiB")


left = ask("/status")["edits_left"]
later = max(1, files // 100)
ask("/advance", {"edits": left - later})
harvest(f"{provider}, {files} files: first", True)
ask("/advance", {"edits": later})
if times:
    per_minute = published
    ask("/quota", {"times": 1})
    text = open(f"{work}/revtrail.toml").read()
    text = re.sub(r"(?m)^requests_per_second = .*", f"requests_per_second = {pace}", text)
    open(f"{work}/revtrail.toml", "w").write(text)
harvest("1 % more edits", False)
PY
