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
    "$@" >"$log" 2>&1 </dev/null &
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

# allow_descriptors COUNT: raises the limit of this script and what it starts, if the machine lets it.
allow_descriptors() {
    [ "$(ulimit -n)" = unlimited ] || [ "$(ulimit -n)" -ge "$1" ] || ulimit -n "$1" 2>/dev/null \
        || ulimit -n "$(ulimit -Hn)"
}
