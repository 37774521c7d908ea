#!/bin/sh
# packages.sh SET...: install the Debian packages of these sets that are missing.
#
# Nothing that is there gets upgraded, no server of the system is created,
# restarted or stopped, and with nothing missing no network is needed.

. tools/lib.sh

# build:  compile, and run a private server
# test:   what make test needs besides (Cluster.pm's IPC::Run, libFuzzer)
# oracle: the peers and checkers written in Python; only tests use them
packages_of()
{
	case $1 in
		build) echo gcc libc6-dev perl postgresql-15 postgresql-server-dev-15 ;;
		test) echo libipc-run-perl clang-14 libclang-rt-14-dev libopenblas0-serial ;;
		oracle) echo libonnx-testdata python3 python3-jsonschema python3-numpy python3-onnx python3-pandas python3-pglast python3-psycopg2 python3-sklearn python3-statsmodels python3-xgboost ;;
		bench) echo libopenblas0-serial python3 python3-matplotlib python3-numpy python3-psycopg2 python3-torch python3-xgboost ;;
		indent) echo pg-bsd-indent ;;
		fresh) echo debootstrap git ;;
		*) die "no such set of packages: $1" ;;
	esac
}

missing=
for set in "$@"; do
	for package in $(packages_of "$set"); do
		case $package in
			# A server of the user's own choice replaces Debian's.
			postgresql-*) [ "$PG_CONFIG" = /usr/lib/postgresql/15/bin/pg_config ] || continue ;;
		esac
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			missing="$missing $package"
	done
done
[ -n "$missing" ] || exit 0

command -v dpkg-query >/dev/null ||
	die "this is not Debian: install the equivalents of$missing, and set PG_CONFIG"
[ "$(id -u)" = 0 ] || die "missing packages; as root, run:" \
	"apt-get install --no-upgrade --no-install-recommends$missing"

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
log=$(mktemp)

# Installing a server normally creates and starts a cluster.  This file says
# no while we install, and goes away again.
no_cluster=/etc/postgresql-common/createcluster.d/explain_ext.conf
trap 'rm -f "$log" "$no_cluster"' EXIT
trap 'exit 130' INT TERM HUP
case $missing in *postgresql-15*)
	mkdir -p "${no_cluster%/*}"
	echo "create_main_cluster = false" >"$no_cluster"
esac

# Without Upgrade-By-Source-Package=false, a new libpq-dev would bring the
# installed server of the same source up to its version, and so restart it.
apt_install()
{
	apt-get install -y -q --no-upgrade --no-remove --no-install-recommends \
		-o APT::Get::Upgrade-By-Source-Package=false \
		-o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" $missing
}

say "Installing Debian packages:$missing ..."
# Unreachable lists of other software are no reason to stop: apt-get install
# says what is really missing.
apt-get update -q -o DPkg::Lock::Timeout=300 >"$log" 2>&1 || true

# Should a dependency need that all the same, it is not for us to decide.
if apt_install --simulate 2>/dev/null | grep -Eq '^Inst postgresql-[0-9]+ \['; then
	die "installing$missing would upgrade and restart the server of this machine;" \
		"install them yourself when that suits you"
fi
apt_install >>"$log" 2>&1 </dev/null || { tail -n 30 "$log" >&2; die "apt-get install failed"; }
