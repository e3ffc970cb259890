#!/usr/bin/env bash
# The peers of bench_search on the same corpus and the same questions: SQLite FTS5 (trigram) and
# PostgreSQL with pg_trgm. One line each; a peer that is not installed says so.
#   ENTRIES=100000 tests/bench/search_peers.sh BENCH_SEARCH
set -euo pipefail
bench=$1
dir=$(mktemp -d)
chmod 755 "$dir"
pg=
cleanup() {
  if [[ -n $pg ]]; then runuser -u postgres -- "$pg/pg_ctl" -D "$dir/pg" -m immediate stop >/dev/null 2>&1 || true; fi
  rm -rf "$dir"
}
trap cleanup EXIT
entries=${ENTRIES:-100000}
ENTRIES=$entries DUMP=$dir/corpus.csv QUESTIONS=$dir/questions.csv "$bench"

# kind<TAB>milliseconds lines into kind_p50_ms=... kind_p99_ms=...
percentiles() {
  sort -t$'\t' -k1,1 -k2,2n | awk -F'\t' '
    function tell() { printf " %s_p50_ms=%.2f %s_p99_ms=%.2f", kind, v[int(n * 0.5) + (n * 0.5 < n ? 1 : 0)], kind, v[n - int(n * 0.01)] }
    $1 != kind { if (n) tell(); kind = $1; n = 0 }
    { v[++n] = $2 }
    END { if (n) tell(); print "" }'
}

if command -v sqlite3 >/dev/null; then
  begin=$(date +%s.%N)
  sqlite3 "$dir/fts.db" >/dev/null <<SQL
PRAGMA journal_mode=WAL;
PRAGMA synchronous=OFF;
CREATE VIRTUAL TABLE e USING fts5(code, name, provider, abstract, items, class, division UNINDEXED, tokenize='trigram');
.mode csv
.import $dir/corpus.csv e
SQL
  took=$(echo "$(date +%s.%N) - $begin" | bc -l)
  while IFS=, read -r kind words class; do
    filter=
    if [[ -n $class ]]; then filter=" AND class LIKE '$class%'"; fi
    printf '%s\t' "$kind"
    sqlite3 "$dir/fts.db" <<SQL | awk '/^Run Time/ { printf "%.3f\n", $4 * 1000 }'
SELECT count(*) FROM e WHERE e MATCH '"一二三"';
.timer on
SELECT code FROM e WHERE e MATCH '"$words"' $filter ORDER BY rank LIMIT 20;
SQL
  done <"$dir/questions.csv" >"$dir/sqlite.times"
  short=$(sqlite3 "$dir/fts.db" "SELECT count(*) FROM e WHERE e MATCH '\"企业\"'")
  echo "search_sqlite_fts5 entries=$entries load_entries_s=$(echo "$entries / $took" | bc) disk_mb=$(($(stat -c %s "$dir/fts.db") / 1000000)) hits_of_two_characters=$short$(percentiles <"$dir/sqlite.times")"
else
  echo "search_sqlite_fts5 SKIPPED: sqlite3 is not installed"
fi

pg=$(ls -d /usr/lib/postgresql/15/bin 2>/dev/null || true)
if [[ -n $pg ]] && [[ -f /usr/share/postgresql/15/extension/pg_trgm.control ]] && id postgres >/dev/null 2>&1; then
  mkdir "$dir/pg" && chown postgres "$dir/pg"
  runuser -u postgres -- "$pg/initdb" -D "$dir/pg" -E UTF8 --locale=C.UTF-8 -A trust >/dev/null
  runuser -u postgres -- "$pg/pg_ctl" -D "$dir/pg" -w -o "-c listen_addresses= -c unix_socket_directories=$dir/pg -c fsync=off -c shared_buffers=512MB -c maintenance_work_mem=512MB" start >/dev/null
  sql() { psql -h "$dir/pg" -U postgres -qAt "$@"; }
  begin=$(date +%s.%N)
  chmod 644 "$dir/corpus.csv"
  sql <<SQL
CREATE EXTENSION pg_trgm;
CREATE TABLE e (code text, name text, provider text, abstract text, items text, class text, division text);
COPY e FROM '$dir/corpus.csv' CSV;
CREATE INDEX ON e USING gin ((name || ' ' || provider || ' ' || abstract || ' ' || items) gin_trgm_ops);
ANALYZE e;
SQL
  took=$(echo "$(date +%s.%N) - $begin" | bc -l)
  {
    echo '\timing on'
    while IFS=, read -r kind words class; do
      echo "\\echo kind $kind"
      echo "SELECT code FROM e WHERE (name || ' ' || provider || ' ' || abstract || ' ' || items) LIKE '%$words%' AND class LIKE '$class%' ORDER BY (name LIKE '%$words%') DESC, length(name) LIMIT 20;"
    done <"$dir/questions.csv"
  } >"$dir/ask.sql"
  sql -f "$dir/ask.sql" | awk '/^kind/ { kind = $2 } /^Time:/ { printf "%s\t%s\n", kind, $2 }' >"$dir/pg.times"
  size=$(sql -c "SELECT pg_total_relation_size('e') / 1000000")
  echo "search_postgresql_trgm entries=$entries load_entries_s=$(echo "$entries / $took" | bc) disk_mb=$size$(percentiles <"$dir/pg.times")"
else
  pg=
  echo "search_postgresql_trgm SKIPPED: postgresql-15 with pg_trgm is not installed"
fi
