#!/bin/sh
# Installs the peers outside the repository: install.sh MODEL.gguf
# Into $PYRAMIDKV_PEERS, or ~/.cache/pyramidkv-peers. Needs python3 with venv, npm, and 8 GB (torch's default wheel carries CUDA).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=${PYRAMIDKV_PEERS:-$HOME/.cache/pyramidkv-peers}
gguf=$(realpath "${1:?usage: install.sh MODEL.gguf}")
mkdir -p "$folder/node" "$folder/models"
ln -sf "$gguf" "$folder/models/original.gguf"

# No lifecycle scripts: the package's own would download or build a binary; the prebuilt one comes as a package.
cd "$folder/node"
[ -f package.json ] || echo '{ "private": true }' > package.json
platform=$(node -p 'process.platform === "darwin" ? (process.arch === "arm64" ? "mac-arm64-metal" : "mac-x64") : `linux-${process.arch}`')
npm install --ignore-scripts --omit=optional --no-audit --no-fund "node-llama-cpp@3.22.1" "@node-llama-cpp/$platform@3.22.1"

cd "$folder"
[ -d venv ] || python3 -m venv venv
venv/bin/pip install -q "torch==2.15.0" "transformers==5.2.0" "kvpress==0.5.5" "gguf==0.19.0" "safetensors==0.8.0"
venv/bin/python "$here/models.py" "$gguf" "$folder/models"
