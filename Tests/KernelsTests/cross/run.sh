#!/bin/sh
# Builds compare_kernels.c with the microkernels for an architecture and runs it.
#
#   run.sh native                     builds for this machine
#   run.sh aarch64 CPU...             builds for aarch64 and runs it under qemu, once for each CPU
#   run.sh armv7 CPU...               the same for ARMv7 with NEON and hard floats
#   run.sh wasm32                     builds for WebAssembly with SIMD128 and runs it under Node
#   run.sh sanitized                  the first, under the address and undefined behaviour sanitizers
#   run.sh time                       builds time_kernels.c for this machine instead
#   run.sh wasm32 time                the same for WebAssembly, as the optimizing compiler of Node has it
#
# Prints, for each run, the instruction sets that equalled the scalar kernels, a hash of what has
# other bits on purpose (products of halves, products rounded twice) and a checksum.
# Exit codes: 0 equal, 1 different or not compiling, 77 a piece is missing (named on stdout).
# CLANG names the compiler; the default is clang beside swift, then clang in the path.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
kernels=$here/../../../Sources/CQDKernels
architecture=$1
shift

missing() {
  echo "$1"
  exit 77
}

program=compare_kernels
node="node --no-warnings"
if [ "$architecture $*" = "wasm32 time" ]; then
  program=time_kernels
  node="$node --no-liftoff"
fi

if [ -z "${CLANG:-}" ]; then
  swift=$(command -v swift || true)
  beside=$(dirname "$(readlink -f "${swift:-/nonexistent}")")/clang
  if [ -x "$beside" ]; then CLANG=$beside; else CLANG=$(command -v clang || true); fi
fi
[ -n "$CLANG" ] || missing "no clang in the path"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-std=gnu17 -O2 -Wall -Wextra -Werror -I$kernels/include"

if [ "$architecture" = sanitized ]; then
  # Loops that are watched are no vectors.
  flags="$flags -Wno-pass-failed -O1 -g -fsanitize=address,undefined"
  architecture=native
fi
if [ "$architecture" = native ] || [ "$architecture" = time ]; then
  if [ "$architecture" = time ]; then program=time_kernels; fi
  # shellcheck disable=SC2086
  "$CLANG" $flags "$kernels"/*.c "$here/$program.c" -o "$work/program" -lm
  "$work/program"
  exit
fi

# The compiler's run-time library for a target, as far as one is needed.
libraries=
headers=
case $architecture in
  aarch64)
    root=/usr/aarch64-linux-gnu package=libc6-dev-arm64-cross
    target="--target=aarch64-linux-gnu" loader=ld-linux-aarch64.so.1 ;;
  armv7)
    root=/usr/arm-linux-gnueabihf package="libc6-dev-armhf-cross libgcc-12-dev-armhf-cross"
    target="--target=arm-linux-gnueabihf -march=armv7-a -mfpu=neon-vfpv4 -mfloat-abi=hard"
    loader=ld-linux-armhf.so.3
    libraries=$(ls /usr/lib/gcc-cross/arm-linux-gnueabihf/*/libgcc.a 2>/dev/null || true)
    [ -n "$libraries" ] || missing "no libgcc for armv7; apt install $package" ;;
  wasm32)
    root=/usr package="wasi-libc libclang-rt-dev-wasm32"
    target="--target=wasm32-wasi -msimd128" headers=/usr/include/wasm32-wasi
    libraries=$(ls /usr/lib/llvm-*/lib/clang/*/lib/wasi/libclang_rt.builtins-wasm32.a 2>/dev/null |
      tail -1)
    { [ -e $root/lib/wasm32-wasi/crt1.o ] && [ -n "$libraries" ]; } ||
      missing "no libc for wasm32; apt install $package"
    command -v node >/dev/null || missing "no node" ;;
  *) missing "no cross build for $architecture" ;;
esac
[ "$architecture" = wasm32 ] || [ -e $root/lib/crt1.o ] ||
  missing "no libc for $architecture; apt install $package"
qemu="qemu-$architecture"
[ "$architecture" = armv7 ] && qemu="qemu-arm"
if [ "$architecture" != wasm32 ]; then
  qemu=$(command -v "$qemu" || command -v "$qemu-static" || true)
  [ -n "$qemu" ] || missing "no qemu for $architecture; apt install qemu-user"
fi
"$CLANG" -print-targets | grep -q "${architecture%v7}" || missing "$CLANG does not know $architecture"
linker=$(dirname "$CLANG")/ld.lld
[ "$architecture" = wasm32 ] && linker=$(dirname "$CLANG")/wasm-ld
[ -x "$linker" ] || linker=$(command -v "$(basename "$linker")" || true)
[ -n "$linker" ] || missing "no linker of LLVM"

# shellcheck disable=SC2086
printf '%s\n' "$kernels"/*.c "$here/$program.c" | xargs -P "$(nproc)" -I FILE sh -c '
  "$0" "$@" -c FILE -o "'"$work"'/$(basename FILE .c).o"' \
  "$CLANG" $target -isystem "${headers:-$root/include}" $flags
if [ "$architecture" = wasm32 ]; then
  "$linker" -o "$work/compare.wasm" $root/lib/wasm32-wasi/crt1.o "$work"/*.o \
    -L$root/lib/wasm32-wasi -lc "$libraries" -z stack-size=1048576
  $node "$here/run_wasm.js" "$work/compare.wasm"
  exit
fi
# shellcheck disable=SC2086
"$linker" -o "$work/compare" -dynamic-linker $root/lib/$loader \
  $root/lib/crt1.o $root/lib/crti.o "$work"/*.o -L$root/lib -lc -lm $libraries $root/lib/crtn.o
for cpu in "$@"; do
  echo "cpu $cpu"
  "$qemu" -L $root -cpu "$cpu" "$work/compare"
done
