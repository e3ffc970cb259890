#!/usr/bin/env bash
# Installs what building and testing needs on a bare Debian 12. Safe to repeat: with everything in place it takes a moment
# and asks for no privilege.
set -euo pipefail

packages=(
  # toolchain
  g++ cmake ninja-build mold ccache pkg-config git ca-certificates clang-format
  # wire and core
  libgrpc++-dev protobuf-compiler-grpc protobuf-compiler libprotobuf-dev libabsl-dev libssl-dev
  # storage; its CMake package looks for every compressor it was built with
  librocksdb-dev libsnappy-dev libbz2-dev zlib1g-dev liblz4-dev libzstd-dev libgflags-dev
  # checksums of its log by the processor's instructions
  libisal-dev
  # configuration, command line, tabular files
  libyaml-cpp-dev nlohmann-json3-dev libcli11-dev libcsv-dev libicu-dev
  # workbooks: read with the first two, written with the third
  libzip-dev libpugixml-dev libxlsxwriter-dev
  # search: sets of documents
  libroaring-dev
  # the node's allocator
  libjemalloc-dev
  # tests: framework, certificates made outside our code, network cuts, process control
  catch2 openssl iproute2 procps util-linux
)

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "install-packages: this system has no apt-get; install the equivalents of: ${packages[*]}" >&2
  exit 1
fi

installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p')
missing=()
for package in "${packages[@]}"; do
  grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "packages: all ${#packages[@]} installed"
  exit 0
fi

as_root=()
if (($(id -u) != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "install-packages: run as root, or install sudo; missing: ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -o DPkg::Lock::Timeout=300
     -o Acquire::Retries=3 -o Dpkg::Use-Pty=0)

log=$(mktemp)
trap 'rm -f "$log"' EXIT
fail() {
  cat "$log" >&2
  echo "install-packages: $1" >&2
  exit 1
}

echo "packages: installing ${#missing[@]}: ${missing[*]}"
echo "packages: refreshing the package lists"
"${apt[@]}" -q update </dev/null >"$log" 2>&1 || fail "cannot refresh the package lists; see above"
# One line per package configured is progress enough; the whole log is shown if it fails.
"${apt[@]}" -q -y --no-install-recommends install "${missing[@]}" </dev/null 2>&1 | tee "$log" |
  sed -un 's/^Setting up \([^ ]*\).*/packages:   \1/p' || fail "cannot install ${missing[*]}; see above"
echo "packages: done"
