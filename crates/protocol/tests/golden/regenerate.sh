#!/bin/sh
# Writes golden.bin anew from a Kafka release. Needs a JDK (17 or later) and the release's `libs` folder:
#   crates/protocol/tests/golden/regenerate.sh LIBS
set -eu
here=$(dirname "$0")
exec java -cp "${1:?the libs folder of a Kafka release}/*" "$here/Golden.java" "$1" "$here/golden.bin"
