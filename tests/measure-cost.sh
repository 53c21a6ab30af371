#!/usr/bin/env bash
# Requests, provider units and time of a first harvest and of one after 1 % more edits, each beside the least that could do: every request
# of the simulator takes 50 ms (LATENCY_MS).
#
#   tests/measure-cost.sh [FILES [REVISIONS [onedrive|google_drive|dropbox]]]      default: 2000 3 onedrive
#
# Builds in release unless REVTRAIL_BIN_DIR names a directory with both programs.
set -euo pipefail
cd "$(dirname "$0")/.."
files=${1:-2000} revisions=${2:-3} provider=${3:-onedrive} latency=${LATENCY_MS:-50}
bin=${REVTRAIL_BIN_DIR:-}
if [ -z "$bin" ]; then
    cargo build --release -p revtrail -p revtrail-simulator
    bin=${CARGO_TARGET_DIR:-target}/release
fi
bin=$(realpath "$bin")
work=$(mktemp -d)
"$bin/revtrail-simulator" --generate "${files}x${revisions}" --latency-ms "$latency" >"$work/ready" 2>"$work/simulator.log" &
simulator=$!
trap 'kill "$simulator" 2>/dev/null || true; rm -rf "$work"' EXIT
until [ -s "$work/ready" ]; do sleep 0.2; kill -0 "$simulator"; done
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$work/ready" "$1"; }
url=$(field "$provider")
field client_secret >"$work/secret"
field refresh_token >"$work/refresh"
tenant=6d1c0a4e-9c1f-4a46-8f3e-2b1d7c5a9e10
case $provider in
onedrive) account="tenant = \"$tenant\"
api_url = \"$url/v1.0\"
token_url = \"$url/$tenant/oauth2/v2.0/token\"" drive="drive = \"$(field onedrive_drive)\"" ;;
google_drive) account="refresh_token_file = \"$work/refresh\"
api_url = \"$url\"
token_url = \"$url/token\"" drive= ;;
dropbox) account="refresh_token_file = \"$work/refresh\"
api_url = \"$url\"
token_url = \"$url/oauth2/token\"" drive= ;;
esac
cat >"$work/revtrail.toml" <<TOML
[archive]
url = "file://$work/archive"
[signing]
key_file = "$work/key.pem"
[accounts.a]
provider = "$provider"
client_id = "$(field client_id)"
client_secret_file = "$work/secret"
requests_per_second = 100000.0
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
"$bin/revtrail" --config "$work/revtrail.toml" --quiet key generate "$work/key.pem"
"$bin/revtrail" --config "$work/revtrail.toml" --quiet init --ledger l
python3 - "$bin/revtrail" "$work" "$(field control)" "$provider" "$files" "$latency" <<'PY'
import json, subprocess, sys, time, urllib.request

program, work, control, provider, files, latency = sys.argv[1:]
# Questions in one request, and requests at a time, as the connectors send them.
batch, at_once = {"onedrive": (20, 4), "google_drive": (100, 4), "dropbox": (1, 4)}[provider]


def ask(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(control + path, data=data)) as answer:
        return json.load(answer)


def harvest(name):
    ask("/reset-counters", {})
    start = time.monotonic()
    run = subprocess.run([program, "--config", f"{work}/revtrail.toml", "--quiet", "--output", "json", "harvest"],
                         capture_output=True, text=True)
    seconds = time.monotonic() - start
    if run.returncode not in (0, 4):
        sys.exit(run.stderr)
    folder = json.loads(run.stdout)["folders"][0]
    listed = folder["files_listed"]
    requests = -(-listed // batch)
    least = (-(-requests // at_once) + 3) * int(latency) / 1000
    print(f"{name}: {folder['events']} events, {listed} files listed, {folder['requests']} requests (parts of batches counted), "
          f"{folder['units']} units, {seconds:.1f} s; {requests} requests for lists, {least:.1f} s of latency when {at_once} at a time")


left = ask("/status")["edits_left"]
later = max(1, int(files) // 100)
ask("/advance", {"edits": left - later})
harvest("first")
ask("/advance", {"edits": later})
harvest("1 % more edits")
PY
