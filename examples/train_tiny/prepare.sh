#!/usr/bin/env bash
# Make all training data of tiny, edition 2. Usage: prepare.sh SHARED WORK [SCENES [PROCESSES [THINGS]]]
# SHARED: folder with train/ and data/; SCENES: rendered scenes, 30 % of them upright. What exists is kept.
# THINGS: close views of many things; needs the Debian package sweethome3d-furniture, installed or unpacked (FURNITURE).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
shared=$(cd "$1" && pwd) work=$2 scenes=${3:-4000} processes=${4:-$(nproc)} things=${5:-2000}
export OMP_NUM_THREADS=1 PYTHONPATH="$here/../..${PYTHONPATH:+:$PYTHONPATH}"
mkdir -p "$work"
[ -e "$work/indoor" ] || python "$here/pairs.py" "$shared/train" "$work"
[ -e "$work/streets" ] || python "$here/streets.py" "$shared/train/wild/camvid" "$work"
[ -e "$work/photos" ] || python "$here/photos.py" "$shared/data" "$work"
[ -e "$work/cutouts" ] || python "$here/scenes/cutouts.py" "$shared/data" "$work/cutouts"
[ -e "$work/drawn" ] || python "$here/scenes/drawn.py" "$shared/data" "$work"

render() { # source, rooms, count, seed, size
  for ((part = 0; part < processes; part++)); do
    python "$here/scenes/render.py" "$work/$1" --pictures "$shared"/data/photos/kodak/*.png --cutouts "$work/cutouts" \
      --rooms "$work/$2" --count "$3" --seed "$4" --size "$5" --first "$part" --every "$processes" &
  done
  wait
}
render scenes_check indoor_held_back 80 99 192x256
render scenes indoor $((scenes * 7 / 10)) 21 256x336
render scenes indoor $((scenes * 3 / 10)) 22 336x256

furniture=${FURNITURE:-/usr/share/sweethome3d/furniture}
if [ ! -e "$work/models" ] && [ "$things" -gt 0 ]; then
  python "$here/scenes/catalog.py" "$furniture" "$work/models.partial" && mv "$work/models.partial" "$work/models"
fi
render_things() { # count, seed, size
  for ((part = 0; part < processes; part++)); do
    python "$here/scenes/things.py" "$work/things" --models "$work/models" --pictures "$shared"/data/photos/kodak/*.png \
      --rooms "$work/indoor" --count "$1" --seed "$2" --size "$3" --first "$part" --every "$processes" &
  done
  wait
}
render_things $((things * 7 / 10)) 31 256x336
render_things $((things * 3 / 10)) 32 336x256
