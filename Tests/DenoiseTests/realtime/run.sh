#!/bin/sh
# Runs the audio path, a change of denoiser included, under clang's real-time sanitizer.
#
#   run.sh BUILD_FOLDER [--mistake]
#
# BUILD_FOLDER is a release build with denoisectl in it, whose modules are linked; --mistake adds a
# growing array, which has to be found. Prints what the program and the sanitizer print.
# Exit codes: the program's, 77 if a piece is missing (named on stdout).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
sources=$here/../../../Sources
build=$1
shift

missing() {
  echo "$1"
  exit 77
}

[ "$(uname -m)" = x86_64 ] || missing "linked for x86_64 only"
swift=$(readlink -f "$(command -v swiftc)")
clang=$(dirname "$swift")/clang
[ -x "$clang" ] || missing "no clang beside swiftc"
sanitizer=$("$clang" -print-resource-dir)/lib/linux/libclang_rt.rtsan-x86_64.a
[ -f "$sanitizer" ] || missing "this clang has no real-time sanitizer"
list=$build/denoisectl.product/Objects.LinkFileList
[ -f "$list" ] || missing "no denoisectl in $build; swift build -c release --product denoisectl"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$clang" -O1 -fsanitize=realtime -c "$here/trampoline.c" -o "$work/trampoline.o"
modules='QDMemory|QDFiles|QDMessages|QDUserSettings|QDKernels|CQDKernels|QDEngine|QDSignal|QDDenoise|QDTFLite|QDModelStore'
modules="$modules|CQDEmbeddedModel|CQDThreadPool"
objects=$(tr -d "'\"" <"$list" | grep -E "/($modules)\.build/")
maps="$here $build/CQDKernels.build $build/CQDEmbeddedModel.build $build/CQDThreadPool.build
$sources/CQDSampleRate $sources/CQDLinux"
flags=$(for map in $maps; do echo "-Xcc -fmodule-map-file=$map/module.modulemap"; done)
# shellcheck disable=SC2086
swiftc -O -parse-as-library -swift-version 5 -I "$build/Modules" $flags \
  "$here/Main.swift" "$work/trampoline.o" $objects -o "$work/audio" -lsamplerate \
  -Xlinker --whole-archive -Xlinker "$sanitizer" -Xlinker --no-whole-archive \
  -Xlinker --export-dynamic -lstdc++ -lm -lpthread -ldl
"$work/audio" "$@"
