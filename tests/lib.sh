# Shared by the test scripts: brokers on free ports in folders of their own, stopped by pid.
# Source it; set `root` to the checkout first.

work=$(mktemp -d "${TMPDIR:-/tmp}/ottla-test.XXXXXX")
started=()
finish() {
    local pid
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap finish EXIT

passed=0 failed=0
# check NAME COMMAND...: runs the command, counts it, and shows its output if it fails.
check() {
    local name=$1 out="$work/check.out"
    shift
    # Not in a condition: there, a failing command in the middle of a check would be passed over.
    set +e
    ( set -e; "$@" ) > "$out" 2>&1
    local status=$?
    set -e
    if [ "$status" -eq 0 ]; then
        passed=$((passed + 1)); echo "ok      $name"
    else
        failed=$((failed + 1)); echo "FAILED  $name"; sed 's/^/        /' "$out" | tail -n 60
    fi
}
# total: the closing line, and the exit code.
total() { echo "$passed passed, $failed failed"; [ "$failed" -eq 0 ]; }

# free_port: a port that is free and was not given before, though nothing may listen on that one yet.
free_port() {
    local port
    while true; do
        port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])') || return 1
        grep -qsx "$port" "$work/ports" || break
    done
    echo "$port" | tee -a "$work/ports"
}

# until_true SECONDS COMMAND...: runs the command again and again until it succeeds.
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@" > /dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

# start_ottla DIRECTORY PORT [ARGUMENT...]: starts the broker and waits until it is ready. Sets `pid`.
start_ottla() {
    local dir=$1 port=$2
    shift 2
    mkdir -p "$dir"
    : > "$dir/out"
    "${OTTLA:-$root/target/release/ottla}" start "$@" --set "log.dirs=$dir/data" \
        --set "listeners=PLAINTEXT://127.0.0.1:$port" >> "$dir/out" 2>> "$dir/err" &
    pid=$!
    started+=("$pid")
    until_true 180 grep -q '^ready ' "$dir/out" || { cat "$dir/err" >&2; echo "the broker did not start" >&2; return 1; }
}

# stop_node PID [SIGNAL]: ends a node and waits for its end.
stop_node() { kill "-${2:-TERM}" "$1" && { wait "$1" 2>/dev/null || true; }; }

# reference_properties DIRECTORY PORT: a server.properties that the reference release and Ottla both take.
reference_properties() {
    local controller
    controller=$(free_port)
    cat << EOF
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:$controller
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$2,CONTROLLER://127.0.0.1:$controller
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$1
offsets.topic.replication.factor=1
EOF
}
