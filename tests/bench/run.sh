#!/usr/bin/env bash
# Benchmarks beside their peers, in turn, so that both see the same machine.
#
#   tests/bench/run.sh [NAME...]      default: all of tests/bench/*.cc
#   RUNS=3 PEERS=DIR ROWS=... tests/bench/run.sh cascade
#
# Prints each run's line, then `median NAME key=value ...` of ours and the peer's, then `ratio NAME PEER METRIC value` (ours to the
# peer's) for every figure both print. Needs the peer's own packages installed; a peer that cannot run is said and left out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
runs=${RUNS:-3}
peers=${PEERS:-../shared/peers}
declare -A peer_of=([cascade]=pg_cascade)

deploy/build.sh release >&2
cmake --build build/release --target benches >&2
export GUANTONG_BIN_DIR=${GUANTONG_BIN_DIR:-$PWD/build/release/bin}

names=("$@")
[ ${#names[@]} -gt 0 ] || for source in tests/bench/*.cc; do names+=("$(basename "$source" .cc)"); done

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

for name in "${names[@]}"; do
  peer=${peer_of[$name]:-}
  for ((run = 1; run <= runs; ++run)); do
    "$GUANTONG_BIN_DIR/bench_$name" | tee -a "$lines"
    if [ -n "$peer" ] && [ -f "$peers/$peer.sh" ]; then
      bash "$peers/$peer.sh" | tee -a "$lines" || echo "$peer could not run" >&2
    fi
  done
  ours=$(median "$name")
  echo "median $name$ours"
  if [ -n "$peer" ] && grep -q "^$peer " "$lines"; then
    theirs=$(median "$peer")
    echo "median $peer$theirs"
    for pair in $ours; do
      key=${pair%%=*}
      other=$(tr ' ' '\n' <<<"$theirs" | sed -n "s/^$key=//p")
      [ -n "$other" ] || continue
      awk -v n="$name" -v p="$peer" -v k="$key" -v a="${pair#*=}" -v b="$other" \
        'BEGIN { if (b > 0) printf "ratio %s %s %s %.3f\n", n, p, k, a / b }'
    done
  fi
done
