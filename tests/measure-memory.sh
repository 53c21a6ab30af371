#!/usr/bin/env bash
# Peak memory, requests and time of a first harvest of a generated history, from one provider's simulator.
#
#   tests/measure-memory.sh [FILES [REVISIONS [onedrive|google_drive|dropbox]]]      default: 100000 5 onedrive
#
# Builds in release unless REVTRAIL_BIN_DIR names a directory with both programs.
set -euo pipefail
cd "$(dirname "$0")/.."
files=${1:-100000} revisions=${2:-5} provider=${3:-onedrive}
bin=${REVTRAIL_BIN_DIR:-}
if [ -z "$bin" ]; then
    cargo build --release -p revtrail -p revtrail-simulator
    bin=${CARGO_TARGET_DIR:-target}/release
fi
bin=$(realpath "$bin")
work=$(mktemp -d)
"$bin/revtrail-simulator" --generate "${files}x${revisions}" --at-end >"$work/ready" 2>"$work/simulator.log" &
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
revtrail() { "$bin/revtrail" --config "$work/revtrail.toml" --quiet "$@"; }
revtrail key generate "$work/key.pem"
revtrail init --ledger l
start=$(date +%s)
"$bin/revtrail" --config "$work/revtrail.toml" --quiet --output json harvest >"$work/harvest.json" &
harvest=$!
peak=0
while [ -r "/proc/$harvest/status" ]; do
    now=$(awk '/^VmHWM/ {print $2}' "/proc/$harvest/status" 2>/dev/null || true)
    if [ -n "$now" ]; then peak=$now; fi
    sleep 0.2
done
wait "$harvest"
end=$(date +%s)
python3 - "$work/harvest.json" "$peak" "$((end - start))" "$files" <<'PY'
import json, sys
folder = json.load(open(sys.argv[1]))["folders"][0]
peak, seconds, files = int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
print(f"events {folder['events']}, snapshots {folder['snapshots']}, requests {folder['requests']} "
      f"({folder['requests'] / files:.3f} per file, parts of batches counted as requests), {seconds} s, peak memory {peak / 1024:.1f} MiB")
PY
