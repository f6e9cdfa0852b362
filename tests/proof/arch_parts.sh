#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Puts into FOLDER the parts for arch.sh that no package installs in this form,
# by apt-get on Debian: Check, built for musl; kernels of other machines, and a
# shell for each. Keeps parts that are there, and changes nothing outside of
# FOLDER. If a part is not available, reports that, continues with the others,
# and exits 1.
#
# usage: arch_parts.sh FOLDER

set -eu

if [ $# -ne 1 ]; then
	echo 'usage: arch_parts.sh FOLDER' >&2
	exit 2
fi
mkdir -p "$1"
folder=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS DESTDIR

# Most systems list no source packages, so this uses its own list.
apt_source()
{
	timeout 300 apt-get -q -o APT::Sandbox::User=root \
		-o "Dir::Etc::sourcelist=$scratch/sources.list" \
		-o Dir::Etc::sourceparts=- \
		-o "Dir::State::lists=$scratch/lists" "$@"
}

fetch_check()
{
	mkdir -p "$scratch/lists/partial"
	# shellcheck disable=SC2016
	apt-get indextargets 'Created-By: Packages' \
		--format 'deb-src $(REPO_URI) $(CODENAME) $(COMPONENT)' |
		sort -u >"$scratch/sources.list"
	apt_source update
	cd "$scratch"
	apt_source source --download-only check
	tar -xf check_*.orig.tar.*
}

make_check()
{
	fetch_check
	cd "$scratch"/check-*/
	./configure --host=x86_64-linux-musl CC=musl-gcc \
		--prefix="$folder/musl" --disable-shared --disable-subunit \
		--disable-build-docs
	timeout 300 make -j2 SUBDIRS='lib src' install
}

# fetch_kernel NAME ARCHITECTURE: ARCHITECTURE is Debian's name.
fetch_kernel()
{
	mkdir -p "$scratch/$1"
	cd "$scratch/$1"
	package=$(apt-cache depends "linux-image-$2:$2" |
		sed -n 's/.*Depends: \(linux-image-[0-9][^ :]*\).*/\1/p')
	timeout 300 apt-get download -q -o APT::Sandbox::User=root \
		"$package:$2" "busybox-static:$2"
	for part in ./*.deb; do
		dpkg-deb -x "$part" .
	done
	mkdir -p "$folder/$1"
	cp bin/busybox "$folder/$1"
	cp lib/modules/*/kernel/net/unix/unix_diag.ko "$folder/$1"
	cp boot/vmlinuz-* "$folder/$1/vmlinuz"
}

# get FILE COMMAND...: runs COMMAND to make FILE, unless it is there. The
# subshell is not followed by ||, which would switch its set -e off.
status=0
get()
{
	[ ! -e "$folder/$1" ] || return 0
	part=$1
	shift
	set +e
	(
		set -e
		"$@"
	)
	[ -e "$folder/$part" ] || {
		echo "arch_parts.sh: $part is not available"
		status=1
	}
	set -e
}

get musl/lib/pkgconfig/check.pc make_check
get aarch64/vmlinuz fetch_kernel aarch64 arm64
get s390x/vmlinuz fetch_kernel s390x s390x
exit $status
