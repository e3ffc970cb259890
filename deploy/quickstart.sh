#!/usr/bin/env bash
# A national-provincial-municipal-county network of nine real nodes on loopback, and its main job shown step by step.
#
#   deploy/quickstart.sh          install what is missing, build, run, show; leaves the network running
#   deploy/quickstart.sh stop     stop it cleanly
#   deploy/quickstart.sh status   where it stands
#
# Everything it writes lies under build/quickstart (QUICKSTART_DIR). A second run reuses the build and starts a new network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
net=${QUICKSTART_DIR:-$root/build/quickstart}
bin=${GUANTONG_BIN_DIR:-$root/build/release/bin}
data=$root/deploy/quickstart
port_base=${QUICKSTART_PORT:-7630}

# folder  division  name    level     parent  department (name, USCC)
nodes=(
  "guojia     000000 国家   national  -          国家数据主管部门     1100000000000001AU"
  "qinghai    630000 青海省 province  guojia     青海省民政厅         1163000000000001AG"
  "shanxi     140000 山西省 province  guojia     山西省民政厅         1114000000000001A3"
  "guangdong  440000 广东省 province  guojia     广东省民政厅         1144000000000001A7"
  "xining     630100 西宁市 city      qinghai    西宁市民政局         1163010000000001AM"
  "datong     140200 大同市 city      shanxi     大同市民政局         1114020000000001AD"
  "dongguan   441900 东莞市 city      guangdong  东莞市民政局         1144190000000001A2"
  "chengdong  630102 城东区 county    xining     西宁市城东区民政局   1163010200000001AJ"
  "pingcheng  140213 平城区 county    datong     大同市平城区民政局   1114021300000001A8"
)

declare -A address division
index=0
for line in "${nodes[@]}"; do
  read -r folder code _ <<<"$line"
  address[$folder]=127.0.0.1:$((port_base + index))
  division[$folder]=$code
  index=$((index + 1))
done

now_ms() { date +%s%3N; }
step_started=$(now_ms)
step() { step_started=$(now_ms); printf '\n\033[1m%s\033[0m\n' "$*"; }
took() { printf '   → %s(%d 毫秒)\n' "$1" $(($(now_ms) - ${2:-$step_started})); }
fail() { printf '\n失败:%s\n日志在 %s/*/log\n' "$1" "$net" >&2; exit 1; }

gt() { "$bin/guantong" "$@"; }
# as FOLDER ROLE ARGS...: the command line with a profile of that node.
as() {
  local profile=$net/$1/admin.yaml
  [ "$2" = admin ] || profile=$net/$1/department/$2.yaml
  "$bin/guantong" --profile "$profile" "${@:3}"
}
json_field() { sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\)\"\{0,1\}.*/\1/p" | head -n 1; }

# until_true SECONDS WHAT COMMAND...: a condition with a deadline.
until_true() {
  local deadline=$(($(now_ms) + $1 * 1000)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$(now_ms)" -lt "$deadline" ] || fail "$what"
    sleep 0.02
  done
}

running() { [ -f "$net/$1/pid" ] && kill -0 "$(cat "$net/$1/pid")" 2>/dev/null; }
launch() {
  setsid "$bin/guantongd" --dir "$net/$1" >>"$net/$1/log" 2>&1 </dev/null &
  echo $! >"$net/$1/pid"
}
answers() { as "$1" admin status -o json; }

stop_all() {
  local folder pids=()
  for line in "${nodes[@]}"; do
    read -r folder _ <<<"$line"
    if running "$folder"; then
      pids+=("$(cat "$net/$folder/pid")")
      kill -TERM "${pids[-1]}"
    fi
  done
  for pid in "${pids[@]}"; do
    timeout 15 tail --pid="$pid" -f /dev/null || kill -KILL "$pid" 2>/dev/null || true
  done
  for line in "${nodes[@]}"; do
    read -r folder _ <<<"$line"
    rm -f "$net/$folder/pid"
  done
  echo "已停止 ${#pids[@]} 个节点"
}

case "${1:-run}" in
  stop) stop_all; exit 0 ;;
  status)
    for line in "${nodes[@]}"; do
      read -r folder code name _ <<<"$line"
      if running "$folder"; then state=运行; else state=停止; fi
      printf '%s  %s  %s  %s\n' "$state" "$code" "${address[$folder]}" "$name"
    done
    exit 0 ;;
  run) ;;
  *) sed -n '2,7p' "$0"; exit 2 ;;
esac

# --- build ------------------------------------------------------------------------------------------------------
step '一、安装与编译'
if [ -z "${GUANTONG_BIN_DIR:-}" ]; then "$root/deploy/build.sh" release; fi
took '程序就绪'

# --- nine nodes -------------------------------------------------------------------------------------------------
step '二、建立九个节点:一个国家节点,三省三市两区县;每个节点凭一次性令牌由上级接纳'
if [ -d "$net" ]; then stop_all >/dev/null; rm -rf "$net"; fi
mkdir -p "$net"
for line in "${nodes[@]}"; do
  read -r folder code name level parent department uscc <<<"$line"
  mkdir -p "$net/$folder"
  if [ "$parent" = - ]; then
    gt init --dir "$net/$folder" --division "$code" --name "$name" --level "$level" \
      --listen "${address[$folder]}" --root --approvals 0 >"$net/$folder/log" 2>&1 || fail "初始化 $name"
  else
    token=$(as "$parent" admin invite --division "$code" --name "$name" -o json | json_field token)
    gt init --dir "$net/$folder" --division "$code" --name "$name" --level "$level" \
      --listen "${address[$folder]}" --join "${address[$parent]}" --token "$token" >"$net/$folder/log" 2>&1 ||
      fail "接纳 $name:$(tail -n 2 "$net/$folder/log")"
  fi
  # 目录范围取全国:任何一级都能直接检索;默认只看本分支,其余向上级询问。
  sed -i 's/^catalog_scope: .*/catalog_scope: country/' "$net/$folder/node.yaml"
  launch "$folder"
  until_true 20 "$name 没有应答" answers "$folder"
  as "$folder" admin department add --uscc "$uscc" --division "$code" --name "$department" \
    --out "$net/$folder/department" >/dev/null || fail "登记部门 $department"
  printf '   %s %s %s\n' "$code" "${address[$folder]}" "$name"
done
until_true 30 '国家节点没有看到全部节点' bash -c "[ \$('$bin/guantong' --profile '$net/guojia/admin.yaml' tree -o json | grep -c '\"node_id\"') -eq 9 ]"
took '九个节点互相认证、连成一棵树'
as guojia admin tree

# --- catalogue --------------------------------------------------------------------------------------------------
step '三、城东区登记并发布目录条目,东莞市检索'
code_chengdong=$(as chengdong editor catalog register "$data/chengdong_streets.yaml" -o json | json_field code)
as chengdong editor catalog publish "$code_chengdong" >/dev/null
started=$(now_ms)
found() { as dongguan editor catalog search 城东区街道 --scope country -o json | grep -q "$code_chengdong"; }
until_true 30 '东莞市没有检索到条目' found
took "东莞市检索到 $code_chengdong,发布之后" "$started"
as dongguan editor catalog search 城东区街道 --scope country

# --- query across the country ------------------------------------------------------------------------------------
step '四、东莞市推送数据,平城区经国家节点查询'
code_dongguan=$(as dongguan editor catalog register "$data/dongguan_towns.yaml" -o json | json_field code)
as dongguan editor catalog publish "$code_dongguan" >/dev/null
as dongguan editor push "$code_dongguan" "$data/dongguan_towns.csv" --columns name=名称,kind=类别,seq=序号
until_true 30 '平城区查询不到' as pingcheng editor query "$code_dongguan" --limit 1
started=$(now_ms)
as pingcheng editor query "$code_dongguan" --where "kind = '街道'" --purpose 快速开始演示
took '平城区 → 大同市 → 山西省 → 国家 → 广东省 → 东莞市,往返' "$started"

# --- subscription ------------------------------------------------------------------------------------------------
step '五、山西省订阅城东区的数据:先快照,后增量'
columns=name=名称,kind=类别,office=负责科室
as chengdong editor push "$code_chengdong" "$data/chengdong_streets.csv" --columns "$columns"
started=$(now_ms)
as shanxi editor subscribe "$code_chengdong" >/dev/null
local_rows() { as shanxi editor query "$code_chengdong" --local --where "$1" -o csv 2>/dev/null | tail -n +2 | wc -l; }
has_rows() { [ "$(local_rows "$1")" -eq "$2" ]; }
until_true 30 '快照没有到达' has_rows "name != ''" 9
took '快照 9 行已在山西省本地可查' "$started"
started=$(now_ms)
as chengdong editor push "$code_chengdong" "$data/chengdong_delta.csv" --columns "$columns"
until_true 30 '增量没有到达' has_rows "office = '基层政权科'" 2
took '增量 2 行已在山西省本地可查' "$started"
as shanxi editor subscriptions

# --- kill -9 -----------------------------------------------------------------------------------------------------
step '六、青海省节点被 kill -9,期间城东区数据又有变化'
kill -KILL "$(cat "$net/qinghai/pid")"
wait "$(cat "$net/qinghai/pid")" 2>/dev/null || true
as chengdong editor push "$code_chengdong" "$data/chengdong_later.csv" --columns "$columns"
if as chengdong editor query "$code_dongguan" --limit 1 --timeout 5 2>"$net/unavailable"; then
  fail '青海省停机时,跨省查询本应立即答复不可用'
fi
sed 's/^/   /' "$net/unavailable"
took '跨省查询立即答复不可用,本地推送照常'
started=$(now_ms)
launch qinghai
until_true 60 '停机期间的变化没有补齐' has_rows "office = '基层政权科'" 3
took '青海省重启后,停机期间的变化已补齐到山西省' "$started"

step '七、各链路现状'
as guojia admin links

cat <<TXT

网络仍在运行。看一看:
  export PATH=$bin:\$PATH
  guantong --profile $net/guojia/admin.yaml tree
  guantong --profile $net/pingcheng/department/editor.yaml catalog search 名录 --scope country
  guantong --profile $net/pingcheng/department/editor.yaml query $code_dongguan --where "kind = '镇'" --limit 5
  guantong --profile $net/shanxi/department/editor.yaml trace $code_chengdong
  guantong --profile $net/shanxi/admin.yaml doctor
停止:
  deploy/quickstart.sh stop
TXT
