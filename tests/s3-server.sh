#!/bin/sh
# An S3 server with Object Lock for tests: LocalStack, from the Python package index, S3 only.
#
#   tests/s3-server.sh start PORT [DIR]   installs into DIR once, starts, prints the variables to set
#   tests/s3-server.sh stop  PORT [DIR]   stops the server that start left on PORT
#   tests/s3-server.sh env   PORT         prints the variables only
#
# So: eval "$(tests/s3-server.sh start 4599)"; cargo nextest run; tests/s3-server.sh stop 4599
#
# DIR defaults to target/s3-server. PYTHON names the interpreter (3.10 to 3.12). The server listens
# on 127.0.0.1 only, accepts any credentials and forgets everything when it stops.
set -eu

usage() {
    sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

command=${1:-}
port=${2:-}
case $port in '' | *[!0-9]*) usage ;; esac
root=$(cd "$(dirname "$0")/.." && pwd)
dir=${3:-$root/target/s3-server}
version=4.12.0

print_env() {
    cat <<ENV
export REVTRAIL_TEST_S3_ENDPOINT=http://127.0.0.1:$port
export AWS_ACCESS_KEY_ID=test
export AWS_SECRET_ACCESS_KEY=test
export AWS_REGION=us-east-1
export AWS_EC2_METADATA_DISABLED=true
ENV
}

install() {
    # The file is written last, so an interrupted installation starts over.
    [ "$(cat "$dir/installed" 2>/dev/null)" = "$version" ] && return
    rm -rf "$dir/python" "$dir/installed"
    mkdir -p "$dir"
    "${PYTHON:-python3}" -m venv "$dir/python"
    # Newer cbor2 and pyopenssl break this version at import.
    "$dir/python/bin/pip" install --quiet --disable-pip-version-check \
        "localstack-core[base-runtime]==$version" 'cbor2<6' 'pyopenssl<25' service_identity >&2
    echo "$version" >"$dir/installed"
}

is_up() {
    "$dir/python/bin/python" -c '
import sys, urllib.request
try:
    urllib.request.urlopen("http://127.0.0.1:%s/_localstack/health" % sys.argv[1], timeout=2).read()
except OSError:
    sys.exit(1)' "$port"
}

start() {
    install
    dir=$(cd "$dir" && pwd)
    run=$dir/run-$port
    if [ -f "$run/pid" ] && kill -0 "$(cat "$run/pid")" 2>/dev/null; then
        print_env
        return
    fi
    if is_up; then
        echo "s3-server: port $port is taken by another server" >&2
        exit 1
    fi
    rm -rf "$run"
    mkdir -p "$run"
    # hypercorn, because the default gateway listens on all interfaces whatever it is told.
    env HOME="$run" SERVICES=s3 STRICT_SERVICE_LOADING=1 EAGER_SERVICE_LOADING=1 \
        GATEWAY_SERVER=hypercorn GATEWAY_LISTEN="127.0.0.1:$port" DISABLE_EVENTS=1 \
        SKIP_SSL_CERT_DOWNLOAD=1 DNS_ADDRESS=0 FILESYSTEM_ROOT="$run/data" \
        nohup "$dir/python/bin/python" -m localstack.runtime.main >"$run/log" 2>&1 </dev/null &
    echo $! >"$run/pid"
    tries=0
    until is_up; do
        tries=$((tries + 1))
        if [ $tries -gt 240 ] || ! kill -0 "$(cat "$run/pid")" 2>/dev/null; then
            echo "s3-server: not up; the end of $run/log:" >&2
            tail -n 20 "$run/log" >&2
            exit 1
        fi
        sleep 0.25
    done
    print_env
}

stop() {
    run=$dir/run-$port
    [ -f "$run/pid" ] || return 0
    pid=$(cat "$run/pid")
    kill "$pid" 2>/dev/null || true
    tries=0
    # It may take seconds to end by itself, and there is nothing to save.
    while kill -0 "$pid" 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -gt 20 ] && kill -9 "$pid" 2>/dev/null
        sleep 0.1
    done
    rm -rf "$run"
}

case $command in
start) start ;;
stop) stop ;;
env) print_env ;;
*) usage ;;
esac
