# Sourced by scripts that run services: starts programs, waits for their first lines, and ends them on every path.

started=()

end_services() {
    local status=$?
    trap - EXIT INT TERM
    for process in "${started[@]}"; do kill "$process" 2>/dev/null || true; done
    wait 2>/dev/null || true
    exit "$status"
}
trap end_services EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# start LOG COMMAND...: runs the command in the background; what it says goes to the log.
start() {
    local log=$1
    shift
    # Made here: on a busy machine somebody may look for a line before the program has begun.
    : >"$log"
    "$@" >>"$log" 2>&1 </dev/null &
    started+=($!)
}

# wait_for_line LOG PREFIX: the rest of the first line with the prefix, within 20 s, in $line.
wait_for_line() {
    local log=$1 prefix=$2 process=${started[-1]}
    for ((attempt = 0; attempt < 400; attempt++)); do
        line=$(sed -n "s|^$prefix||p" "$log" | head -n 1)
        [ -z "$line" ] || return 0
        kill -0 "$process" 2>/dev/null || break
        sleep 0.05
    done
    cat "$log" >&2
    fail "a service did not start" "what it said is above and in $log"
}

# wait_until SECONDS COMMAND...: repeats the command until it succeeds; fails when the time is over.
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

# allow_descriptors COUNT: raises the limit of this script and what it starts, if the machine lets it.
allow_descriptors() {
    [ "$(ulimit -n)" = unlimited ] || [ "$(ulimit -n)" -ge "$1" ] || ulimit -n "$1" 2>/dev/null \
        || ulimit -n "$(ulimit -Hn)"
}

# random_key FILE BYTES: a new key in hexadecimal, readable by this user only.
random_key() { (umask 077 && od -An -v -N"$2" -tx1 /dev/urandom | tr -d ' \n' >"$1"); }

# free_port ADDRESS...: a port below the ephemeral range that is free at every address, for UDP and TCP.
free_port() {
    python3 - "$@" <<'END' || fail "no port is free at all of $*" "see what else runs on this machine: ss -lntu"
import random, socket, sys

def is_free(address, port, kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True

for port in random.sample(range(10_000, 32_000), 200):
    if all(is_free(a, port, k) for a in sys.argv[1:] for k in (socket.SOCK_DGRAM, socket.SOCK_STREAM)):
        print(port)
        sys.exit()
sys.exit(1)
END
}
