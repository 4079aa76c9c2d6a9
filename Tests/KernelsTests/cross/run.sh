#!/bin/sh
# Builds compare_kernels.c with the microkernels for an architecture and runs it.
#
#   run.sh native                     builds for this machine
#   run.sh aarch64 CPU...             builds for aarch64 and runs it under qemu, once for each CPU
#   run.sh sanitized                  the first, under the address and undefined behaviour sanitizers
#   run.sh time                       builds time_kernels.c for this machine instead
#
# Prints, for each run, the instruction sets that equalled the scalar kernels and a checksum.
# Exit codes: 0 equal, 1 different or not compiling, 77 a piece is missing (named on stdout).
# CLANG names the compiler; the default is clang beside swift, then clang in the path.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
kernels=$here/../../../Sources/CKernels
architecture=$1
shift

missing() {
  echo "$1"
  exit 77
}

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
  program=compare_kernels
  if [ "$architecture" = time ]; then program=time_kernels; fi
  # shellcheck disable=SC2086
  "$CLANG" $flags "$kernels"/*.c "$here/$program.c" -o "$work/program" -lm
  "$work/program"
  exit
fi

[ "$architecture" = aarch64 ] || missing "no cross build for $architecture"
root=/usr/aarch64-linux-gnu
[ -e $root/lib/crt1.o ] || missing "no libc for aarch64; apt install libc6-dev-arm64-cross"
qemu=$(command -v qemu-aarch64 || command -v qemu-aarch64-static || true)
[ -n "$qemu" ] || missing "no qemu-aarch64; apt install qemu-user"
"$CLANG" -print-targets | grep -q aarch64 || missing "$CLANG does not know aarch64"
linker=$(dirname "$CLANG")/ld.lld
[ -x "$linker" ] || linker=$(command -v ld.lld || true)
[ -n "$linker" ] || missing "no ld.lld"

printf '%s\n' "$kernels"/*.c "$here/compare_kernels.c" | xargs -P "$(nproc)" -I FILE sh -c '
  "$0" "$@" -c FILE -o "'"$work"'/$(basename FILE .c).o"' \
  "$CLANG" --target=aarch64-linux-gnu -isystem $root/include $flags
# The compiler's run-time library is not needed, so none for aarch64 has to be installed.
"$linker" -o "$work/compare" -dynamic-linker $root/lib/ld-linux-aarch64.so.1 \
  $root/lib/crt1.o $root/lib/crti.o "$work"/*.o -L$root/lib -lc -lm $root/lib/crtn.o
for cpu in "$@"; do
  echo "cpu $cpu"
  "$qemu" -L $root -cpu "$cpu" "$work/compare"
done
