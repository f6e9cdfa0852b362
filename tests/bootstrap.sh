#!/bin/sh
# SPDX-License-Identifier: MIT
# Tests ./bootstrap where packages, sudo or both are missing, or packages
# conflict. It calls stand-ins for apt-get and its like; nothing is installed.

. "${srcdir:?}/tests/lib.sh"

# stand_in NAME [LINE]...: a program of that name.
stand_in()
{
	stand_in_name=$1
	shift
	{
		echo '#!/bin/sh'
		printf '%s\n' "$@"
	} >"bin/$stand_in_name"
	chmod 755 "bin/$stand_in_name"
}

# An ordinary user of a Debian that has all packages but Check.
prepare()
{
	grep -Eqs '^ID(_LIKE)?=.*\bdebian\b' /etc/os-release ||
		skip 'this is no Debian'
	mkdir bin
	for program in cat dirname env grep; do
		ln -s "$(command -v "$program")" "bin/$program"
	done
	stand_in id 'echo 1000'
	# shellcheck disable=SC2016 # for the stand-in to expand
	stand_in dpkg-query 'for package; do :; done
		[ "$package" = check ] || echo "install ok installed"'
	stand_in apt-get 'echo "apt-get $*" >>calls'
	for program in autoreconf autoconf automake aclocal libtoolize \
		pkg-config; do
		stand_in "$program" "echo '$program' \"\$*\" >>calls"
	done
	cp "$srcdir/bootstrap" .
	: >calls
}

bootstrap()
{
	run env PATH="$here/bin" /bin/sh ./bootstrap "$@"
}

root_line='apt-get update && apt-get install -y --no-install-recommends'

without_sudo_the_line_for_root_names_what_is_missing()
{
	prepare
	bootstrap --install-deps
	expect_status 1
	expect_match "$err" 'sudo was not found'
	expect_match "$err" "^bootstrap: $root_line check\$"
	expect_empty calls
}

without_sudo_nothing_is_asked_for_when_nothing_is_missing()
{
	prepare
	stand_in dpkg-query 'echo "install ok installed"'
	bootstrap --install-deps
	expect_status 0 "$(cat "$err")"
	expect_text calls 'autoreconf -fi'
}

with_sudo_what_is_missing_is_installed()
{
	prepare
	# shellcheck disable=SC2016
	stand_in sudo 'echo sudo >>calls' 'exec "$@"'
	bootstrap --install-deps
	expect_status 0 "$(cat "$err")"
	printf '%s\n' sudo 'apt-get update' sudo \
		'apt-get install -y --no-install-recommends check' \
		'autoreconf -fi' | expect_same - calls
}

whom_sudo_refuses_gets_the_line_for_root()
{
	prepare
	stand_in sudo 'exit 1'
	bootstrap --install-deps
	expect_status 1
	expect_match "$err" "^bootstrap: $root_line check\$"
	expect_empty calls
}

# By a user, and by who can install.
without_autotools_it_says_what_is_missing_and_what_to_do()
{
	prepare
	rm bin/automake bin/libtoolize
	bootstrap
	expect_status 1
	expect_match "$err" '^bootstrap: not found: automake libtoolize$'
	expect_match "$err" "^bootstrap: $root_line check\$"
	stand_in id 'echo 0'
	bootstrap
	expect_status 1
	expect_match "$err" '^bootstrap: not found: automake libtoolize$'
	expect_match "$err" '^bootstrap: ./bootstrap --install-deps '
	expect_empty calls
}

without_autotools_another_system_gets_the_packages_named()
{
	prepare
	rm bin/autoreconf bin/apt-get
	bootstrap
	expect_status 1
	expect_match "$err" '^bootstrap: not found: autoreconf$'
	expect_match "$err" '^bootstrap: autoconf automake .* libtool make '
	expect_empty calls
}

# An amd64 machine on which the compiler for arm64 conflicts with gcc-multilib.
prepare_conflict()
{
	prepare
	for program in sed tr; do
		ln -s "$(command -v "$program")" "bin/$program"
	done
	stand_in id 'echo 0'
	stand_in dpkg-query 'exit 1'
	# shellcheck disable=SC2016
	stand_in dpkg 'case $1 in
		--print-architecture) echo amd64 ;;
		*) echo i386 arm64 s390x ;;
		esac'
	# shellcheck disable=SC2016
	stand_in apt-get 'case $* in
		-s*aarch64*) echo "Remv gcc-multilib [4:12.2.0-3]" ;;
		-s*) ;;
		*) echo "apt-get $*" ;;
		esac'
}

what_other_architectures_remove_is_named_before()
{
	prepare_conflict
	bootstrap --install-architectures --only-install
	expect_status 0 "$(cat "$err")"
	grep -n 'bootstrap: removing, because of conflicts: gcc-multilib$' "$out" \
		>named || fail "$(cat "$out")"
	grep -n 'apt-get install .*aarch64' "$out" >installed ||
		fail "$(cat "$out")"
	[ "$(wc -l <named)" -eq 1 ] || fail 'named for another architecture'
	[ $(($(cut -d : -f 1 <named) + 1)) -eq \
		"$(cut -d : -f 1 <installed)" ] || fail "$(cat "$out")"
}

run_case without_sudo_the_line_for_root_names_what_is_missing
run_case without_sudo_nothing_is_asked_for_when_nothing_is_missing
run_case with_sudo_what_is_missing_is_installed
run_case whom_sudo_refuses_gets_the_line_for_root
run_case without_autotools_it_says_what_is_missing_and_what_to_do
run_case without_autotools_another_system_gets_the_packages_named
run_case what_other_architectures_remove_is_named_before
finish_cases
