#!/bin/sh
# SPDX-License-Identifier: MIT
#
# usage: deb.sh SRCDIR VERSION DISTRIBUTION.tar.xz FOLDER
#
# Make Debian packages of a distribution, in a scratch directory, and leave them
# in FOLDER. Its tests are not run again unless DEB_BUILD_OPTIONS is set; lintian
# looks at what came out, where it is installed. 77 where the tools are missing.

set -eu

if [ $# -ne 4 ]; then
	echo 'usage: deb.sh SRCDIR VERSION DISTRIBUTION.tar.xz FOLDER' >&2
	exit 2
fi
srcdir=$(cd "$1" && pwd)
version=$2
distribution=$PWD/$3
mkdir -p "$4"
folder=$(cd "$4" && pwd)

for tool in dpkg-buildpackage dh; do
	command -v $tool >/dev/null || {
		echo "make deb: $tool is missing: apt-get install debhelper" \
			"dpkg-dev" >&2
		exit 77
	}
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

# The make that runs this keeps its jobs and targets to itself.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS DESTDIR TAR_OPTIONS

# The packages' own version begins anew with each release.
write_changelog()
{
	maintainer=$(sed -n 's/^Maintainer: //p' debian/control)
	day=$(sed -n '1s/ .*//p' ChangeLog)
	cat <<-END
	unixmsg ($version-1) unstable; urgency=medium

	  * Version $version, see ChangeLog.

	 -- $maintainer  $(LC_ALL=C date -u -d "$day" +'%a, %d %b %Y %T +0000')
	END
}

cd "$scratch"
tar -xf "$distribution"
mv "unixmsg-$version" unixmsg
cd unixmsg
cp -R "$srcdir/packaging/debian" debian
chmod -R u+w debian
write_changelog >debian/changelog
DEB_BUILD_OPTIONS=${DEB_BUILD_OPTIONS-nocheck} \
	timeout 1800 dpkg-buildpackage -us -uc -b
cd ..
cp ./*.deb ./*.buildinfo ./*.changes "$folder"
if command -v lintian >/dev/null; then
	timeout 600 lintian --fail-on error --allow-root ./*.changes
else
	echo 'make deb: lintian is missing, nothing has looked at the packages' >&2
fi
