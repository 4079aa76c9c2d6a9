#!/bin/sh
# From the corpus to models/full.tflite and models/light.tflite:
#   models/training/run.sh CORPUS [VALIDATION_SET]
# MINUTES (of computing for the full network, default 105), LIGHT_MINUTES (20), SEED (7) and
# TRAIN_OPTIONS (for example --free-only) may be set; what was stopped goes on with RESUME=1.
set -eu
corpus=$1
here=$(cd "$(dirname "$0")" && pwd)
work="$here/work"
export OMP_NUM_THREADS=1
options="--seed ${SEED:-7} ${TRAIN_OPTIONS:-} ${RESUME:+--resume} ${2:+--validate $2}"
licence=GPL-3.0-only
case "$options" in *--free-only*) licence=Apache-2.0 ;; esac
[ -f "$work/rir.json" ] || python3 "$here/bank.py" "$corpus" "$work"
python3 "$here/train.py" light --compile --minutes "${LIGHT_MINUTES:-20}" --rate 3e-3 $options
python3 "$here/train.py" full --compile --minutes "${MINUTES:-105}" --rate 2.5e-3 $options
for kind in light full; do
  python3 "$here/export.py" "$work/$kind.pt" "$here/../$kind.tflite" --licence "$licence"
done
