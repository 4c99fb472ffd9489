#!/bin/sh
# Runs the benchmark on a bare Linux machine (x64, glibc) with a GPU's driver: sh run.sh --help. Everything else lies beside this file and is
# unpacked for as long as it runs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# By the loader's name, because whoever carried the folder may have lost permissions.
/lib64/ld-linux-x86-64.so.2 --library-path "$here/xz" "$here/xz/xz" -dc "$here/parts.tar.xz" | tar -x --no-same-owner -C "$work" -f -

known() {
  for ldconfig in /sbin/ldconfig /usr/sbin/ldconfig; do
    if [ -x "$ldconfig" ]; then "$ldconfig" -p | grep -q "[[:space:]]$1 (.*x86-64" && return 0; fi
  done
  for folder in /lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu /lib64 /usr/lib64; do
    if [ -e "$folder/$1" ]; then return 0; fi
  done
  return 1
}

# The system's libraries go before ours, which may be older than its driver needs.
mkdir "$work/missing"
for library in "$work"/lib/*; do
  name=$(basename "$library")
  if ! known "$name"; then ln -s "$library" "$work/missing/$name"; fi
done
paths="${LD_LIBRARY_PATH:-}"
for folder in /usr/local/nvidia/lib64 /usr/local/nvidia/lib "$work/missing"; do
  if [ -d "$folder" ]; then paths="${paths:+$paths:}$folder"; fi
done
export LD_LIBRARY_PATH="$paths"

# Containers are often given NVIDIA's driver without the file by which Vulkan finds it.
if [ -z "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ] && ! ls /etc/vulkan/icd.d/*.json /usr/share/vulkan/icd.d/*.json >/dev/null 2>&1; then
  found=$(ls /usr/local/nvidia/share/vulkan/icd.d/*.json 2>/dev/null | head -n 1)
  if [ -z "$found" ]; then
    # Without X, some drivers open by the second name only; one that does not open is passed over.
    for name in GLX EGL; do
      echo "{\"file_format_version\":\"1.0.0\",\"ICD\":{\"library_path\":\"lib${name}_nvidia.so.0\",\"api_version\":\"1.3.0\"}}" >"$work/$name.json"
    done
    found="$work/GLX.json:$work/EGL.json"
  fi
  export VK_DRIVER_FILES="$found"
fi

code=0
"$work/bun" "$work/bench.js" "$@" || code=$?
exit "$code"
