#!/bin/sh
# Runs as process 1 of a lab host, in namespaces of its own: makes the host's file system and becomes its init.
# It is the machine's own root with private changes on top, so that every installed program is there and nothing
# that the host writes is seen by anybody else.
#
# LAB_LAYER    folder on a memory file system for the private changes
# LAB_DATA     the mounted data disk
# LAB_HOSTNAME the host's name
# LAB_PROJECT  the checkout, where the given command runs
# LAB_ELSEWHERE further folders to show, one per line: the checkout or the interpreter, where the root has them not
# LAB_OPEN     folders to make passable for unprivileged accounts, one per line, in this host only
set -eu

mount --make-rprivate /
mkdir -p "$LAB_LAYER/upper" "$LAB_LAYER/work" "$LAB_LAYER/root"
root="$LAB_LAYER/root"
mount -t overlay "lab-$LAB_HOSTNAME" -o "lowerdir=/,upperdir=$LAB_LAYER/upper,workdir=$LAB_LAYER/work" "$root"

mkdir -p "$root/data" "$root/proc" "$root/sys" "$root/run" "$root/tmp" "$root/dev" "$root/.outside"
mount --bind "$LAB_DATA" "$root/data"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
mount -t tmpfs -o mode=755,nosuid,nodev run "$root/run"
mount -t tmpfs -o mode=1777,nosuid,nodev tmp "$root/tmp"
mount -t tmpfs -o mode=755,nosuid dev "$root/dev"
for node in null zero full random urandom tty; do
    : >"$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/mqueue"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777,nosuid,nodev shm "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
mkdir "$root/run/lock"

number=0
echo "$LAB_ELSEWHERE" | while read -r folder; do
    [ -z "$folder" ] && continue
    number=$((number + 1))
    own="$LAB_LAYER/elsewhere-$number"
    mkdir -p "$root$folder" "$own/upper" "$own/work"
    mount -t overlay "lab-$LAB_HOSTNAME" -o "lowerdir=$folder,upperdir=$own/upper,workdir=$own/work" "$root$folder"
done
echo "$LAB_OPEN" | while read -r folder; do
    [ -z "$folder" ] || chmod o+x "$root$folder"
done

hostname "$LAB_HOSTNAME"
cd "$root"
pivot_root . .outside
cd /
umount -l /.outside
cd "$LAB_PROJECT"
exec "$@" </dev/null
