#!/bin/sh
# fresh-check.sh: prove on a bare Debian 12, with make and nothing else, that
# the README's two commands work for root, and work again without a network.
#
# A clean clone of HEAD goes into a new system made by debootstrap, which gets
# this machine's package sources.  The demo runs in /root, where the server's
# user cannot go, the tests at a path longer than a socket's name may be, with
# a blank in it; last, make and make install work on that system's own server.
# Mounts and processes live in namespaces of their own, and so are gone when a
# command ends, however it ends.
#
# KEEP=1 keeps the system for a look; ROOT=folder uses one that was kept.

. tools/lib.sh

[ "$(id -u)" = 0 ] || die "make fresh-check needs root (debootstrap and chroot)"
sh tools/packages.sh fresh

cleanup()
{
	status=$?
	trap - EXIT
	[ -n "${KEEP:-}" ] && say "kept: ROOT=$ROOT" || rm -rf --one-file-system "$ROOT"
	exit $status
}

# This machine's sources of Debian's own packages, and how it reaches them.
package_sources()
{
	apt-get indextargets --format 'deb $(REPO_URI) $(CODENAME) $(COMPONENT) $(ORIGIN)' \
		'Created-By: Packages' | sed -n 's/ Debian$//p' | grep ' bookworm' | sort -u
}

make_system()
{
	package_sources >"$ROOT.sources"
	mirror=$(sed -n 's/^deb \([^ ]*\) bookworm main$/\1/p' "$ROOT.sources" | head -n 1)
	[ -n "$mirror" ] || die "this machine's package sources have no bookworm main"
	say "Making a bare Debian 12 in $ROOT ..."
	debootstrap --variant=minbase --include=make bookworm "$ROOT" "$mirror" >"$ROOT.log" 2>&1 ||
		{ tail -n 20 "$ROOT.log" >&2; die "debootstrap failed"; }
	mv "$ROOT.sources" "$ROOT/etc/apt/sources.list"
	apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-(Valid-Until|Date))' >"$ROOT/etc/apt/apt.conf.d/90this-machine" || true
	cp /etc/resolv.conf /etc/hosts "$ROOT/etc/"
	echo yes >"$ROOT/etc/explain_ext_fresh_check"
	rm -f "$ROOT.log"
}

# inside NETWORK FOLDER COMMAND: run it as root logs in, with a clean
# environment; NETWORK is yes or no.
inside()
{
	[ "$1" = yes ] && namespaces= || namespaces=--net
	unshare --mount --pid --fork --kill-child $namespaces sh -eu -c '
		mount -t proc proc "$1/proc"
		mount -t tmpfs -o nosuid,mode=755 dev "$1/dev"
		mkdir -m 1777 "$1/dev/shm"
		for device in null zero full random urandom tty; do
			: >"$1/dev/$device"
			mount --bind "/dev/$device" "$1/dev/$device"
		done
		ln -s /proc/self/fd "$1/dev/fd"
		exec chroot "$1" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
			sh -c "cd \"\$1\" && exec \$2" sh "$2" "$3"
	' sh "$ROOT" "$2" "$3" </dev/null
}

# step NETWORK FOLDER COMMAND: it must succeed, quietly.
step()
{
	[ "$1" = yes ] && with="" || with=", no network"
	say
	say "=== $3 in $2$with"
	began=$(date +%s)
	log=$ROOT/var/log/step
	failed=
	inside "$@" >"$log" 2>&1 || failed=yes
	cat "$log"
	took=$(($(date +%s) - began))
	[ -z "$failed" ] || die "$3 failed$with after $took s"
	if grep -i 'warning' "$log"; then die "$3 warned$with"; fi
	summary="$summary
$(printf '%5d s  %s%s' $took "$3" "$with")"
	[ -z "$(ls "$ROOT/etc/postgresql" 2>/dev/null)" ] || die "$3 made a cluster of the system"
	[ ! -e "$ROOT/usr/share/postgresql/15/extension/explain_ext.control" ] ||
		die "$3 installed into /usr"
}

if [ -n "${ROOT:-}" ]; then
	KEEP=1
else
	ROOT=$(mktemp -d "$WORKDIR/explain_ext_fresh.XXXXXX")
	chmod 755 "$ROOT"
fi
trap cleanup EXIT
trap 'exit 130' INT TERM HUP
summary=
[ -x "$ROOT/usr/bin/make" ] || make_system

demo_folder=/root/explain_ext
test_folder="/srv/a long path/$(printf '%0100d' 0)/explain_ext"
for folder in "$demo_folder" "$test_folder"; do
	rm -rf "$ROOT$folder"
	mkdir -p "$ROOT${folder%/*}"
	git clone -q --no-hardlinks . "$ROOT$folder"
done
chmod 700 "$ROOT/root"

step yes "$demo_folder" "make demo"
step yes "$test_folder" "make test"
step no "$demo_folder" "make demo"
step no "$test_folder" "make test"
step no "$demo_folder" "sh tools/pgxs-check.sh"
say
say "A bare Debian 12 ran both commands, twice:$summary"
