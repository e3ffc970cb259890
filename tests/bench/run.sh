#!/usr/bin/env bash
# Benchmarks beside their peers, in turn, so that both see the same machine.
#
#   tests/bench/run.sh [NAME...]      default: all of tests/bench/*.cc
#   RUNS=3 PEERS=DIR ROWS=... tests/bench/run.sh cascade
#
# Prints each run's line, then `median NAME key=value ...` of ours and of its peers, then `ratio NAME PEER METRIC value` (ours to the
# peer's) for every figure both print. Needs the peers' own packages installed; a peer that cannot run is said and left out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
runs=${RUNS:-3}
peers=${PEERS:-../shared/peers}
declare -A peer_of=([cascade]="pg_cascade nats_chain" [calls]=nginx_chain)

deploy/build.sh release >&2
cmake --build build/release --target benches >&2
export GUANTONG_BIN_DIR=${GUANTONG_BIN_DIR:-$PWD/build/release/bin}

names=("$@")
[ ${#names[@]} -gt 0 ] || for source in tests/bench/*.cc; do names+=("$(basename "$source" .cc)"); done

export FILE_MB=${FILE_MB:-0}  # nginx's file part has no counterpart yet

lines=$(mktemp)
trap 'rm -f "$lines"' EXIT

# median FIRST-WORD: the median of each numeric key over all lines that begin with it.
median() {
  grep "^$1 " "$lines" | tr ' ' '\n' | grep '=' | sort -t= -k1,1 -k2,2g | awk -F= '
    $2 !~ /^[0-9.]+$/ { next }
    $1 != key { flush(); key = $1; n = 0 }
    { value[++n] = $2 }
    function flush() { if (n) printf " %s=%s", key, value[int((n + 1) / 2)] }
    END { flush(); print "" }'
}

# ratios OUR-NAME OUR-MEDIANS PEER: for every figure both print, by the same name or, where the peer counts its own kind of
# thing, by the pairs below.
declare -A named=([nats_chain.top_msgs_s]=ins_rows_s [nats_chain.pub_msgs_s]=src_rows_s)
ratios() {
  local theirs pair key other
  theirs=$(median "$3")
  echo "median $3$theirs"
  for pair in $theirs; do
    key=${pair%%=*}
    key=${named[$3.$key]:-$key}
    other=$(tr ' ' '\n' <<<"$2" | sed -n "s/^$key=//p")
    [ -n "$other" ] || continue
    awk -v n="$1" -v p="$3" -v k="$key" -v a="$other" -v b="${pair#*=}" \
      'BEGIN { if (b > 0) printf "ratio %s %s %s %.3f\n", n, p, k, a / b }'
  done
}

for name in "${names[@]}"; do
  for ((run = 1; run <= runs; ++run)); do
    "$GUANTONG_BIN_DIR/bench_$name" | tee -a "$lines"
    for peer in ${peer_of[$name]:-}; do
      [ -f "$peers/$peer.sh" ] || continue
      bash "$peers/$peer.sh" | tee -a "$lines" || echo "$peer could not run" >&2
    done
  done
  ours=$(median "$name")
  echo "median $name$ours"
  for peer in ${peer_of[$name]:-}; do
    if grep -q "^$peer " "$lines"; then ratios "$name" "$ours" "$peer"; fi
  done
done
