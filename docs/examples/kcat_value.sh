#!/usr/bin/env bash
# One record's payload as JSON: `kcat_value.sh BROKERS PLATFORM SHARD OFFSET TYPE SCHEMAS`, with TYPE as its header ce_type has it
# and SCHEMAS a folder of .fbs files (events/ of this repository). Needs kcat and flatc. Offsets are not sequences: each
# transaction takes one more.
set -euo pipefail
if (($# != 6)); then
  sed -n '2,4s/^# //p' "$0" >&2
  exit 2
fi
brokers=$1 platform=$2 shard=$3 offset=$4 type=$5 schemas=$6

work=$(mktemp --directory)
trap 'rm -rf "$work"' EXIT
# -D '': the bytes as they are, without a line end behind them.
kcat -C -q -e -b "$brokers" -t "$platform.events" -p "$shard" -o "$offset" -c 1 -D '' >"$work/value.bin"
flatc --json --raw-binary --strict-json --defaults-json --root-type "$type" -I "$schemas" -o "$work" \
  "$schemas/${type%%.*}.fbs" -- "$work/value.bin"
cat "$work/value.json"
