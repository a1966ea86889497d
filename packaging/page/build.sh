#!/bin/sh
# Builds the page into ui/dist, when something it is made of changed.
#
# Needs npm with Node 20.19 or newer, and the network the first time. Fails with words where there is
# none; whoever calls it decides whether that matters.
set -eu
cd "$(dirname "$0")/../../ui" 2>/dev/null || { echo "page: there is no folder ui"; exit 1; }
[ -f package.json ] || { echo "page: ui has no package.json"; exit 1; }
command -v npm >/dev/null || { echo "page: npm is not installed"; exit 1; }
node -e '
    const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' ||
    { echo "page: Node $(node --version) is older than 20.19"; exit 1; }

# npm leaves this file behind when everything is in place.
installed=node_modules/.package-lock.json
if [ ! -f "$installed" ] || [ package-lock.json -nt "$installed" ]; then
    npm ci --no-audit --no-fund || { echo "page: npm ci failed"; exit 1; }
    touch "$installed"
fi
if [ -f dist/index.html ] &&
    [ -z "$(find . -path ./node_modules -prune -o -path ./dist -prune -o \
        -type f -newer dist/index.html -print | head -n 1)" ]; then
    echo "page: ui/dist is fresh"
    exit 0
fi
npm run build || { echo "page: npm run build failed"; exit 1; }
