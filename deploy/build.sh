#!/usr/bin/env bash
# Usage: deploy/build.sh [release|debug|asan|tsan]
# Installs the packages, configures and builds into build/<preset>. Safe to repeat: seconds when nothing changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=${1:-release}

deploy/install-packages.sh
echo "configuring $preset"
# The configure log is interesting only when it fails.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! cmake --preset "$preset" >"$log" 2>&1 </dev/null; then
  cat "$log" >&2
  exit 1
fi
echo "building $preset"
cmake --build --preset "$preset" </dev/null
echo "built $preset: build/$preset/bin"
