#!/bin/sh
# From the corpus to models/{full,light,low-latency}.tflite:
#   models/training/run.sh CORPUS [VALIDATION_SET]
# MINUTES (of CPU time for the full network, default 300), SEED (7) and TRAIN_OPTIONS (for example
# --free-only, or --opinion sig_bak_ovr.onnx to be judged by DNSMOS's network as the shipped ones
# were) may be set; what was stopped goes on with RESUME=1. The two small networks take a
# third of MINUTES each and learn from the full one, too; the last tenth is quantization-aware.
set -eu
corpus=$1
here=$(cd "$(dirname "$0")" && pwd)
work="$here/work"
minutes=${MINUTES:-300}
export OMP_NUM_THREADS=1
# Keeps freed memory and uses huge pages: a sixth of a step was page faults.
keep=8000000000
export GLIBC_TUNABLES=glibc.malloc.mmap_threshold=$keep:glibc.malloc.trim_threshold=$keep:glibc.malloc.hugetlb=1
options="--compile --seed ${SEED:-7} ${TRAIN_OPTIONS:-} ${RESUME:+--resume}"
licence=GPL-3.0-only
case "$options" in *--free-only*) licence=Apache-2.0 ;; esac
[ -f "$work/rir.json" ] || python3 "$here/bank.py" "$corpus" "$work"

train() { # SHAPE MINUTES [OPTION ...]
  shape=$1
  shift
  python3 "$here/train.py" "$shape" ${validation:+--validate "$validation"} $options --minutes "$@"
}

validation=${2:-}
train full "$minutes" --rate 2e-3
train light $((minutes / 3)) --rate 3e-3 --teacher "$work/full.pt"
train low-latency $((minutes / 3)) --rate 2e-3 --teacher "$work/full.pt"
for kind in full light low-latency; do
  train $kind $((minutes / 10)) --name "$kind.int8" --start "$work/$kind.pt" --quantized --fixed-statistics --rate 2e-4
  python3 "$here/export.py" "$work/$kind.int8.pt" "$here/../$kind.tflite" --licence "$licence"
done
