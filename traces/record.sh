#!/bin/sh
# Make recordings of traces/ again: sh traces/record.sh FOLDER [NAME]...
# Needs gcc, sqlite3, tar, node and a python3 with its venv module; everything is run in /tmp/job with an environment of three variables.
set -eu
all="build tar pandas node gcc sort sqlite"
[ $# -gt 0 ] || { echo "usage: sh $0 FOLDER [NAME]... (names: $all)" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
shift
[ $# -gt 0 ] || set -- $all
for job in "$@"; do
    case " $all " in *" $job "*) ;; *) echo "$0: no recording $job (names: $all)" >&2; exit 2 ;; esac
done
mkdir -p "$folder" /tmp/job
folder=$(cd "$folder" && pwd)
zsim=${ZSIM:-$here/../.venv/bin/zsim}
PATH=/usr/bin:/bin
export PATH
cd /tmp/job

record() { # NAME OPTION... -- COMMAND...
    name=$1
    shift
    env -i PATH=/usr/bin:/bin LC_ALL=C HOME=/tmp/job "$zsim" record -o "$folder/$name" --env HOME --cpu-time measure "$@" </dev/null | cat
}

tar_() {
    rm -rf tree backup.tar && python3 "$here/jobs/tree.py"
    record tar --min-memory 2M -- tar --create --verify --numeric-owner --file=backup.tar tree
}

build_() {
    rm -rf include src program && cp "$here/jobs/build.py" . && python3 build.py tree
    record build --min-memory 6M --images-of 4 -- python3 -S -E -B build.py
}

pandas_() {
    cp "$here/jobs/frame.py" . && rm -rf venv && python3 -m venv venv && venv/bin/pip install -q pandas==3.0.0
    record pandas --min-memory 32M --images-of 16 -- /tmp/job/venv/bin/python -s -B frame.py
}

node_() {
    cp "$here/jobs/heap.js" .
    record node --min-memory 16M --images-of 8 -- node heap.js
}

# What follows was first recorded without file calls, by a recorder whose 2 K pages promised what 4 K do now.
gcc_() {
    python3 "$here/jobs/functions.py"
    record gcc --min-memory 8M --no-file-calls --images-of 4 -- gcc -O2 -c mid.c
}

sort_() {
    python3 "$here/jobs/lines.py"
    record sort --min-memory 1536K --no-file-calls --images-of 2 -- sort -S 24M --parallel=1 l2.txt >/dev/null
}

sqlite_() {
    cp "$here/jobs/q2.sql" .
    record sqlite --min-memory 1536K --no-file-calls -- sqlite3 :memory: -init q2.sql
}

for job in "$@"; do "${job}_"; done
