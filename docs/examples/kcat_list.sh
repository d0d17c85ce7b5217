#!/usr/bin/env bash
# What happened on a platform, from the headers alone: `kcat_list.sh BROKERS PLATFORM`. A line a record, tab-separated: shard,
# sequence, time, type, stream. Needs kcat.
set -euo pipefail
brokers=${1:?usage: kcat_list.sh BROKERS PLATFORM} platform=${2:?usage: kcat_list.sh BROKERS PLATFORM}

# The first header (guildhall-header) is bytes; the others, behind it, are text without commas.
fields='.*,ce_type=([^,]*),ce_time=([^,]*),.*,ce_sequence=0*([0-9]+),ce_subject=([^,]*),.*,partition=([0-9]+)$'
kcat -C -q -e -b "$brokers" -t "$platform.events" -o beginning -X isolation.level=read_committed -f '%h,partition=%p\n' |
  grep --text --only-matching 'ce_specversion=1\.0,.*' |
  sed -E "s/$fields/\5\t\3\t\2\t\1\t\4/"
