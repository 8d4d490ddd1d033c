# Shared by the suites: a node of either kind. Source it after setting `root`.
source "$root/tests/lib.sh"
reference="$root/tests/reference"

# answers HOST:PORT: whether something accepts connections there.
answers() { timeout 2 bash -c "exec 3<> /dev/tcp/${1%:*}/${1#*:}"; }

# start_node reference|ottla DIRECTORY: starts a single node on DIRECTORY's data and
# waits until it serves. Sets `pid` and `bootstrap`. The first start chooses ports and formats.
start_node() {
    local kind=$1 dir=$2 port
    mkdir -p "$dir"
    if [ ! -f "$dir/server.properties" ]; then
        port=$(free_port)
        echo "$port" > "$dir/port"
        reference_properties "$dir/data" "$port" > "$dir/server.properties"
        cat >> "$dir/server.properties" << 'EOF'
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.topic.num.partitions=4
EOF
    fi
    bootstrap=127.0.0.1:$(cat "$dir/port")
    case $kind in
        ottla)
            : > "$dir/out"
            "${OTTLA:-$root/target/release/ottla}" start "$dir/server.properties" >> "$dir/out" 2>> "$dir/log" & ;;
        reference)
            [ -f "$dir/data/meta.properties" ] || "$reference/kafka" kafka.tools.StorageTool format --standalone \
                --cluster-id "${CLUSTER_ID:-T3R0bGFDb21wYXRUZXN0cw}" ${FORMAT_OPTIONS:-} --config "$dir/server.properties" > "$dir/format" 2>&1 ||
                { cat "$dir/format" >&2; return 1; }
            "$reference/kafka" kafka.Kafka "$dir/server.properties" >> "$dir/log" 2>&1 & ;;
    esac
    pid=$!
    started+=("$pid")
    local end=$((SECONDS + 180))
    until serves "$kind" "$dir"; do
        if ! kill -0 "$pid" 2> /dev/null || [ $SECONDS -ge $end ]; then
            tail -n 30 "$dir/log" >&2
            echo "the $kind node did not start" >&2
            return 1
        fi
        sleep 0.1
    done
}

serves() {
    case $1 in
        ottla) grep -q '^ready' "$2/out" ;;
        reference) answers "$bootstrap" 2> /dev/null ;;
    esac
}
