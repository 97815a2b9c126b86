# shellcheck shell=bash disable=SC2034
# lib.sh - what contrib/run, contrib/test and contrib/soak share: packages, configuring, building.
# Sourced by bash; leaves the caller in the root of the source tree.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

jobs=$(nproc)

# What is needed, and the Debian package that brings it. A name with a slash is a header file, one
# with .pc a pkg-config module, one with .mod a module of Debian's Python, any other a command.
needs_build="gcc:gcc cmake:cmake ninja:ninja-build pkg-config:pkg-config ccache:ccache
    libsecp256k1.pc:libsecp256k1-dev libcrypto.pc:libssl-dev libevent_core.pc:libevent-dev
    jansson.pc:libjansson-dev leveldb/c.h:libleveldb-dev cmocka.h/:libcmocka-dev
    stdio.h/:libc6-dev libzmq.pc:libzmq3-dev"
needs_test="python3:python3 git:git clang:clang clang-format-14:clang-format-14 make:make
    libclang_rt.fuzzer-x86_64.a/:libclang-rt-14-dev bitcoin.mod:python3-bitcoinlib
    chromium:chromium tor:tor zsh:zsh"

say() { printf '== %s\n' "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# True if that header file is in one of the usual folders.
have_header() {
    local dir
    for dir in /usr/include /usr/local/include "/usr/include/$(uname -m)-linux-gnu"; do
        [ ! -e "$dir/$1" ] || return 0
    done
    return 1
}

have() {
    case $1 in
    *.pc) pkg-config --exists "${1%.pc}" 2>/dev/null ;;
    *.mod) [ -e "/usr/lib/python3/dist-packages/${1%.mod}" ] ;;
    libclang_rt*) ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a >/dev/null 2>&1 ;;
    */*) have_header "${1%/}" ;;
    *) PATH=$PATH:/usr/sbin command -v "$1" >/dev/null 2>&1 ;; # where Debian has tor
    esac
}

# Install what is missing of the needs given as arguments: "name:package" words.
install_missing() {
    local need missing=""
    for need in "$@"; do
        have "${need%%:*}" || missing+=" ${need##*:}"
    done
    [ -n "$missing" ] || return 0
    # Offline for systemd: no service of a package is started; tests start their own.
    local apt=(env DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1 apt-get -qq -o Dpkg::Use-Pty=0)
    command -v apt-get >/dev/null || die "missing:$missing (no apt-get here: install them by hand)"
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null ||
            die "missing packages; as root, run: apt-get install$missing"
        apt=(sudo "${apt[@]}")
    fi
    say "installing:$missing"
    "${apt[@]}" update >&2 || die "apt-get update failed; needed:$missing"
    # shellcheck disable=SC2086
    "${apt[@]}" install -y --no-install-recommends $missing >&2 ||
        die "apt-get could not install:$missing"
}

# On a terminal, show how far ninja is: "[57/201]" of its output, on one line that is gone at the end.
show_steps() {
    if [ ! -t 2 ]; then
        cat >/dev/null
        return
    fi
    local line
    while read -r line; do
        [[ ! $line =~ ^\[[0-9]+/[0-9]+\] ]] || printf '\r   %s ' "${BASH_REMATCH[0]}" >&2
    done
    printf '\r\033[K' >&2
}

# build PRESET [TARGET...]: configure if need be, then build.
build() {
    local preset=$1
    shift
    local log="build/$preset.log" args=(--build "build/$preset" -j "$jobs")
    mkdir -p build
    if [ ! -e "build/$preset/build.ninja" ]; then
        cmake --preset "$preset" >"$log" 2>&1 || { cat "$log" >&2; die "cannot configure $preset"; }
    fi
    [ $# = 0 ] || args+=(--target "$@")
    say "building $preset"
    cmake "${args[@]}" 2>&1 | tee "$log" | show_steps ||
        { tail -n 60 "$log" >&2; die "cannot build $preset"; }
}
