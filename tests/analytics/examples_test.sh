#!/usr/bin/env bash
# Runs docs/examples against a broker and compares what they print with `guildhall log export`:
#   examples_test.sh BUILD BROKERS PACKAGES
# BUILD has guildhall, write_example_log and the schemas; PACKAGES is a folder with Python's confluent_kafka and flatbuffers. Needs
# kcat, flatc and jq.
set -euo pipefail
build=$(realpath "${1:?usage: examples_test.sh BUILD BROKERS PACKAGES}") brokers=${2:?} packages=$(realpath "${3:?}")
cd "$(dirname "$0")/../.."
export PYTHONPATH=$packages

work=$(mktemp --directory)
server=
trap '[[ -z $server ]] || kill "$server" || true; rm -rf "$work"' EXIT
platform=examples$$x$RANDOM  # Topics of its own: others use the broker.

compare() {  # compare NAME EXPECTED FOUND
  if ! diff --unified "$2" "$3"; then
    echo "examples_test: $1 prints something else than guildhall log export" >&2
    exit 1
  fi
}

"$build/write_example_log" "$work/data" "$platform"
"$build/guildhall" log copy --from "embedded:$work/data" --to kafka --brokers "$brokers" --platform "$platform"
"$build/guildhall" log export --format ndjson --show-pii --log kafka --brokers "$brokers" --platform "$platform" \
  --output "$work/export.ndjson"

jq -r '[.shard, .sequence, .time, .type, .stream] | @tsv' "$work/export.ndjson" >"$work/list"
docs/examples/kcat_list.sh "$brokers" "$platform" | sort -n -k1 -k2 >"$work/kcat_list"
compare kcat_list.sh "$work/list" "$work/kcat_list"

# Offset 0 of shard 0 is its first record: an account.
person='{email, display_name, role, timezone}'
jq -S "select(.shard == 0 and .sequence == 1) | .data | $person" "$work/export.ndjson" >"$work/value"
docs/examples/kcat_value.sh "$brokers" "$platform" 0 0 account.v1.AccountRegistered events | jq -S "$person" >"$work/kcat_value"
compare kcat_value.sh "$work/value" "$work/kcat_value"

# The consumer leaves times, enums and bytes as they are stored, and 64 bits as a number; all else must be the same.
same='{shard, sequence, time, stream, version, type, event_id, command_type,
  data: (.data | del(.role, .level, .outcome, .source, .price_cents, .timer_due, .fingerprint, .command))}'
jq -S -c "$same" "$work/export.ndjson" >"$work/expected"
consume() {  # consume NAME FLAGS...
  docs/examples/consume.py --brokers "$brokers" --platform "$platform" "${@:2}" |
    jq -s -S -c "sort_by(.shard, .sequence)[] | $same" >"$work/consumed"
  compare "consume.py $1" "$work/expected" "$work/consumed"
}
consume --schemas --schemas "$build/generated/plain"

# And with the schemas that a server publishes. Any server of this version does; it needs no database for that.
"$build/guildhall" serve --data "$work/server" --port 0 --shards 1 >"$work/server.log" 2>&1 &
server=$!
for _ in {1..600}; do
  [[ -s $work/server/dev.json ]] && break
  kill -0 "$server" 2>/dev/null || { cat "$work/server.log" >&2; exit 1; }
  sleep 0.1
done
consume --server --server "$(jq -r .url "$work/server/dev.json")"
kill "$server"
wait "$server"
server=
echo "The examples print what guildhall log export prints: $(wc -l <"$work/expected") records"
