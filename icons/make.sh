#!/bin/sh
# Renders the icons from their drawings. Run it after a drawing was changed and commit what it makes:
# building Punnet needs no SVG renderer.
#
# Needs rsvg-convert (Debian package librsvg2-bin).
set -eu
cd "$(dirname "$0")"

for size in 16 22 24; do
    rsvg-convert -w "$size" -h "$size" punnet-small.svg -o "punnet-$size.png"
done
for size in 32 48 64 128 256 512; do
    rsvg-convert -w "$size" -h "$size" punnet.svg -o "punnet-$size.png"
done

# Panels are dark or light and cannot recolour a picture: light strokes with a dark edge show on both.
for state in idle serving attention; do
    sed -e 's/fill="#2e3436"/fill="#f6f5f4" stroke="#241f31" stroke-width="0.7" paint-order="stroke"/' \
        "punnet-$state-symbolic.svg" |
        rsvg-convert -w 32 -h 32 -o "tray-$state.png"
done
