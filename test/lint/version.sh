#!/bin/sh
# META.json and CHANGELOG.md name the version of the control file.

set -eu
version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" explain_ext.control)

# check FILE COMMAND...
check()
{
	file=$1
	shift
	"$@" && held=ok || held="not ok"
	echo "$held - $file names version $version"
}

meta_agrees()
{
	VERSION=$version perl -MJSON::PP -0777 -ne '
		my $meta = decode_json($_);
		exit grep { $_ ne $ENV{VERSION} } $meta->{version}, $meta->{provides}{explain_ext}{version};
	' META.json
}

check META.json meta_agrees
check CHANGELOG.md grep -q "^## $version " CHANGELOG.md
echo 1..2
