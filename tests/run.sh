#!/usr/bin/env bash
# Everything, from nothing: packages, release build and all its tests, then the unit, script and sim tests again under the
# address and undefined-behaviour sanitizers. The last line is the sum: "N passed, N failed[, N skipped]".
# The status is 0 only if every build succeeded and no test failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

passed=0 failed=0 skipped=0

# count TESTS PATTERN: how many test cases of a JUnit report match. Output of the tests is escaped there and cannot match.
count() { grep -cE "$2" "$1" || true; }

run() {
  local preset=$1 report=$PWD/build/$1/tests.xml status=0
  if ! deploy/build.sh "$preset"; then
    echo "tests/run.sh: the $preset build failed" >&2
    failed=$((failed + 1))
    return
  fi
  rm -f "$report"
  ctest --preset "$preset" --parallel "$(nproc)" --output-junit "$report" </dev/null || status=$?

  local total=0 ok=0 skips=0
  if [[ -f $report ]]; then
    total=$(count "$report" '^[[:space:]]*<testcase ')
    ok=$(count "$report" '^[[:space:]]*<testcase .* status="run"')
    # A test without its program counts as not run too; only a declared skip is one.
    skips=$(count "$report" '<skipped message="SKIP_')
  fi
  local bad=$((total - ok - skips))
  # ctest itself can fail without a failed test: no test found, a broken test file.
  ((status != 0 && bad == 0)) && bad=1
  passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skips))
}

run release
run asan

echo
summary="$passed passed, $failed failed"
((skipped > 0)) && summary+=", $skipped skipped"
echo "$summary"
((failed == 0 && passed > 0))
