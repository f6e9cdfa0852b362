# Every test ends with its counts, which tests/count.sh adds up: Check programs
# with Check's own line, shell tests with 'cases: N passed, N failed, N skipped'.

# Those that take longest come first, so that no processor is idle at the end.
long_shell_tests = \
	%D%/amalgamation.sh \
	%D%/name/names.sh \
	%D%/proof/threads.sh \
	%D%/network/lane_widths.sh \
	%D%/examples.sh \
	%D%/proof/soak.sh \
	%D%/relay/unixmsg-relay.sh \
	%D%/tools/completions.sh \
	%D%/tools/unixgram-echo.sh \
	%D%/tools/seqpacket-echo.sh \
	%D%/tools/unixstream-echo.sh
shell_tests = \
	%D%/tools/access.sh \
	%D%/supervisor/activation.sh \
	%D%/bootstrap.sh \
	%D%/tools/completions_tty.sh \
	%D%/proof/fault.sh \
	%D%/name/filesystems.sh \
	%D%/headers.sh \
	%D%/tools/inherit.sh \
	%D%/network/lanes.sh \
	%D%/service/lanes.sh \
	%D%/tools/manners.sh \
	%D%/manual.sh \
	%D%/manual_examples.sh \
	%D%/tools/other-clients.sh \
	%D%/other-languages.sh \
	%D%/proof/proof_rows.sh \
	%D%/service/service_header.sh \
	%D%/proof/signals.sh \
	%D%/storeys.sh \
	%D%/symbols.sh \
	%D%/tools/unixmsg-cat.sh \
	%D%/tools/unixmsg-cat_jobs.sh \
	%D%/tools/unixmsg-cat_tty.sh \
	%D%/tools/unixmsg-inspect.sh \
	%D%/tools/unixmsg-perf.sh
EXTRA_DIST += $(long_shell_tests) $(shell_tests) \
	%D%/proof/abi.sh \
	%D%/proof/again.sh \
	%D%/proof/analyze.allow \
	%D%/proof/analyze.sh \
	%D%/proof/arch.sh \
	%D%/proof/arch_parts.sh \
	%D%/tools/completions.bash \
	%D%/tools/completions.zsh \
	%D%/tools/completions_tty.py \
	%D%/count.sh \
	%D%/proof/coverage.allow \
	%D%/proof/coverage.sh \
	%D%/tools/demo.sh \
	%D%/tools/echo_cases.sh \
	%D%/proof/elsewhere.sh \
	%D%/proof/fresh-debian.sh \
	%D%/install.sh \
	%D%/lib.sh \
	%D%/proof/machine.sh \
	%D%/proof/mutants \
	%D%/proof/mutants_table.sh \
	%D%/proof/pitfalls \
	%D%/relay/growth.sh \
	%D%/relay/peer.py \
	%D%/proof/proof.sh \
	%D%/readme_commands.sh \
	%D%/readme_programs.awk \
	%D%/proof/threads.c \
	%D%/proof/try_mutants.sh \
	%D%/proof/valgrind.allow \
	%D%/proof/valgrind.sh \
	%D%/proof/valgrind.supp

# The only C test against the shared library itself.
check_PROGRAMS += %D%/check_exports
%C%_check_exports_LDADD = $(built_library)

# The side of lane_widths.sh that is as wide as all others.
check_PROGRAMS += %D%/lane_widths
%C%_lane_widths_SOURCES = %D%/network/lane_widths.c
%C%_lane_widths_LDADD = $(built_library)

# A helper of activation.sh and inherit.sh.
check_PROGRAMS += %D%/hear
%C%_hear_SOURCES = %D%/supervisor/hear.c
%C%_hear_LDADD = $(built_library)

# A helper of other-clients.sh.
check_PROGRAMS += %D%/acknowledge
%C%_acknowledge_SOURCES = %D%/tools/acknowledge.c
%C%_acknowledge_LDADD = $(built_library)

# The server in the comment of unixmsg/service.h, as it stands there but for
# where it serves: a function, and what main does.
check_PROGRAMS += %D%/header_server
nodist_%C%_header_server_SOURCES = %D%/header_server.c
%C%_header_server_CFLAGS = $(AM_CFLAGS) -Wno-unused-parameter
%C%_header_server_LDADD = $(built_library)
CLEANFILES += %D%/header_server.c

%D%/header_server.c: src/unixmsg/service.h
	$(AM_V_GEN)$(MKDIR_P) %D% && { echo '#include <unixmsg.h>' && \
	sed -n -e '/A server in a few lines/,/^ \* Peers\./!d' \
		-e 's,/run/,,' -e '/^ \*	}/{s/^ \*	//p;i\' \
		-e 'int main(void) {' -e 'd;}' \
		-e 's/^ \*	//p' $(top_srcdir)/src/unixmsg/service.h && \
	echo 'return 0; }'; } >$@.tmp && mv $@.tmp $@

if HAVE_CHECK
long_unit_tests = \
	%D%/check_torture \
	%D%/check_torture_tools \
	%D%/check_name_races \
	%D%/check_takeover \
	%D%/check_service_load \
	%D%/check_service_stuck \
	%D%/check_name
quick_unit_tests =
unit_tests = $(long_unit_tests) $(quick_unit_tests)
check_PROGRAMS += $(unit_tests)
TESTS += $(long_unit_tests)

include %D%/support/local.mk
include %D%/base/local.mk
include %D%/name/local.mk
include %D%/lane/local.mk
include %D%/message/local.mk
include %D%/network/local.mk
include %D%/proof/local.mk
include %D%/relay/local.mk
include %D%/service/local.mk
include %D%/supervisor/local.mk
include %D%/tools/local.mk

# For programs that do not say what they link: the unit tests.
LDADD = %D%/.libs/libsupport.a src/tools/.libs/libtools.a \
	src/.libs/libunixmsg_all.a $(CHECK_LIBS)
%C%_check_perf_LDADD = src/tools/.libs/libperf.a $(LDADD)
endif
include %D%/tools/interop/local.mk
include %D%/tools/tap/local.mk

TESTS += $(long_shell_tests) %D%/check_exports $(shell_tests)
if HAVE_CHECK
TESTS += $(quick_unit_tests)
endif

# No test may hang the run, and none may read the terminal.
TEST_EXTENSIONS = .sh
LOG_COMPILER = timeout --kill-after=10 $${TEST_TIMEOUT:-600}
SH_LOG_COMPILER = $(LOG_COMPILER) sh
AM_TESTS_FD_REDIRECT = </dev/null

# Absolute paths, so that a test may change its directory.
test_environment = \
	srcdir='$(abs_top_srcdir)' \
	top_srcdir='$(abs_top_srcdir)' \
	top_builddir='$(abs_top_builddir)' \
	TOOLS='$(abs_top_builddir)/src/tools' \
	FAULTY='$(abs_top_builddir)/tests' \
	CC='$(CC)' CPPFLAGS='$(CPPFLAGS)' CFLAGS='$(CFLAGS)' \
	LDFLAGS='$(LDFLAGS)' NM='$(NM)' PKG_CONFIG='$(PKG_CONFIG)' \
	PACKAGE_VERSION='$(PACKAGE_VERSION)'
AM_TESTS_ENVIRONMENT = export $(test_environment); \
	CK_VERBOSITY=$${CK_VERBOSITY-normal}; export CK_VERBOSITY;

check-local: check-TESTS
if !HAVE_CHECK
	@echo 'skipped: the unit tests: Check was not found'
endif
	@$(SHELL) $(srcdir)/%D%/count.sh $(TEST_LOGS)

# What is installed; distcheck makes it, too.
installcheck-local:
	@export $(test_environment) DESTDIR='$(DESTDIR)' prefix='$(prefix)' \
	  libdir='$(libdir)' docdir='$(docdir)'; \
	$(SHELL) $(srcdir)/%D%/install.sh || [ $$? -eq 77 ]

demo:
	@$(MAKE) $(AM_MAKEFLAGS) $(bin_PROGRAMS)
	@$(test_environment) $(SHELL) $(srcdir)/%D%/tools/demo.sh

# The binary interface beside that of the last release; who makes a release
# commits what abi-dump writes into the folder abi.
abi: src/libunixmsg.la
	@$(SHELL) $(srcdir)/%D%/proof/abi.sh .

abi-dump: src/libunixmsg.la
	@$(test_environment) $(SHELL) $(srcdir)/%D%/proof/abi.sh . dump

# The tests with musl, with 32 bits, and on emulated machines, or on those of
# ARCHITECTURES. What they need that is in no package is fetched apart; without
# it the result says what is missing, and that is no failure.
architectures:
	@$(MKDIR_P) %D% arch-build
	@rm -rf arch-build/source
	@$(MAKE) distdir distdir=arch-build/source >arch-build/source.log 2>&1
	@ARCH_RESULT='$(abs_top_builddir)/%D%/architectures.result' \
	  $(SHELL) arch-build/source/%D%/proof/arch.sh arch-build $(ARCHITECTURES) || \
	  [ $$? -eq 77 ]

architectures-parts:
	@$(SHELL) $(srcdir)/%D%/proof/arch_parts.sh arch-build/parts
CLEANFILES += %D%/architectures.result

# Coverage of src by its tests, or of them only COVERAGE_TESTS. A source that
# is configured cannot be built elsewhere: hence a copy.
coverage:
	@rm -rf coverage-build && $(MKDIR_P) coverage-build
	@$(MAKE) distdir distdir=coverage-build/source >/dev/null
	@COVERAGE_RESULT='$(abs_top_builddir)/%D%/coverage.result' \
	  timeout --kill-after=10 2400 $(SHELL) \
	  coverage-build/source/%D%/proof/coverage.sh coverage-build/build \
	  '$(COVERAGE_TESTS)'
CLEANFILES += %D%/coverage.result

# Static analyzers and the style of all sources.
analyze:
	@rm -f %D%/analyze.result
	@ANALYZE_RESULT='$(abs_top_builddir)/%D%/analyze.result' \
	  $(SHELL) $(srcdir)/%D%/proof/analyze.sh
CLEANFILES += %D%/analyze.result

# The suite with AddressSanitizer and UndefinedBehaviorSanitizer; .ci/run has the
# quick part of it, which still runs all code. One job more than processors,
# since some tests only wait.
sanitized_tests = $(TESTS)
quick_sanitized_tests = $(unit_tests) $(fuzz_targets) %D%/proof/soak.sh \
	%D%/examples.sh %D%/tools/unixgram-echo.sh %D%/tools/seqpacket-echo.sh %D%/tools/unixstream-echo.sh \
	%D%/tools/access.sh %D%/supervisor/activation.sh %D%/tools/inherit.sh %D%/tools/interop/go.sh \
	%D%/tools/interop/nc.sh %D%/tools/interop/python.sh %D%/tools/interop/socat.sh \
	%D%/tools/unixmsg-cat.sh %D%/tools/unixmsg-inspect.sh %D%/tools/unixmsg-perf.sh
sanitizers:
	@rm -f %D%/sanitizers.result
	@status=0; UBSAN_OPTIONS=print_stacktrace=1 MAKE='$(MAKE)' \
	  $(SHELL) $(srcdir)/%D%/proof/elsewhere.sh sanitizers-build \
	  '--enable-sanitizers --disable-static' -k -j3 check \
	  TESTS='$(sanitized_tests)' || status=1; \
	line=$$($(SHELL) $(srcdir)/%D%/count.sh \
	  sanitizers-build/build/tests | tail -n 1); \
	[ -z "$$line" ] || echo "under ASan and UBSan: $$line" | \
	  tee %D%/sanitizers.result; exit $$status
CLEANFILES += %D%/sanitizers.result

# Every failure of every call: minutes, where 'make check' makes a choice.
if HAVE_CHECK
torture: $(faulty_tools) %D%/check_torture %D%/check_torture_tools
	@rm -f %D%/torture.result
	@export $(test_environment) TORTURE=all \
	  TORTURE_RESULT='$(abs_top_builddir)/%D%/torture.result'; \
	try() { timeout --kill-after=10 900 %D%/$$1 </dev/null || { \
	  echo "$$1: FAILED" >>%D%/torture.result; return 1; }; }; \
	try check_torture_tools & try check_torture; status=$$?; \
	wait $$! && [ $$status -eq 0 ]
	@sort -o %D%/torture.result %D%/torture.result
endif
CLEANFILES += %D%/torture.result

# A shared library that is not installed: libtool makes one for a -rpath.
if HAVE_CHECK
check_LTLIBRARIES += %D%/libsignals.la
%C%_libsignals_la_SOURCES = %D%/proof/signals.c
%C%_libsignals_la_LDFLAGS = $(AM_LDFLAGS) \
	-module -avoid-version -rpath /nonexistent

# The whole suite, with a thousand signals a second in each of its processes.
signals: all $(check_LTLIBRARIES) $(check_PROGRAMS) $(bin_PROGRAMS)
	@rm -f %D%/signals.result
	@export $(test_environment); \
	$(SHELL) $(srcdir)/%D%/proof/signals.sh $(TESTS)
endif
CLEANFILES += %D%/signals.result

# The unit tests and the tools, where valgrind is.
if HAVE_CHECK
valgrind: all $(check_LTLIBRARIES) $(unit_tests)
	@rm -f %D%/valgrind.result
	@export $(test_environment); \
	timeout --kill-after=10 3000 $(SHELL) $(srcdir)/%D%/proof/valgrind.sh \
	  $(unit_tests)
endif
CLEANFILES += %D%/valgrind.result

# Servers and clients that come, go and are killed: for $(DURATION) seconds, as
# $(SEED) plans it, or as chance does.
DURATION = 120
SEED =
if HAVE_CHECK
soak: $(check_LTLIBRARIES) %D%/soak
	@rm -f %D%/soak.result
	@SOAK_RESULT=%D%/soak.result timeout --kill-after=10 \
	  "$$(($(DURATION) + 180))" %D%/soak '$(DURATION)' '$(SEED)' </dev/null
endif
CLEANFILES += %D%/soak.result

# Whether the tests would notice that a guard is missing.
if HAVE_CHECK
mutants: $(check_LTLIBRARIES) $(unit_tests) $(bin_PROGRAMS)
	@export $(test_environment) CHECK_LIBS='$(CHECK_LIBS)' \
	  CHECK_CFLAGS='$(CHECK_CFLAGS)'; \
	timeout --kill-after=10 1800 $(SHELL) $(srcdir)/%D%/proof/try_mutants.sh \
	  $(MUTANTS)
endif
CLEANFILES += %D%/mutants.result

# How the relay will grow, by what is measured here; needs nats-server.
if HAVE_CHECK
growth: %D%/engine_speed
	@$(SHELL) $(srcdir)/%D%/relay/growth.sh %D%/engine_speed || [ $$? -eq 77 ]
endif

# Whether a test fails by chance: each of TESTS so many times on a busy machine.
ROUNDS = 10
again: all $(check_LTLIBRARIES) $(check_PROGRAMS) $(check_DATA)
	@export $(test_environment); \
	$(SHELL) $(srcdir)/%D%/proof/again.sh $(ROUNDS) $(TESTS)
CLEANFILES += %D%/again.result

# What a stranger finds who has only the tarball.
fresh-debian: dist
	@$(SHELL) $(srcdir)/%D%/proof/fresh-debian.sh tarball $(distdir).tar.xz \
	  $(DEBIAN_ROOT)
CLEANFILES += fresh-debian.log fresh-debian.result

# What was run in this build came to what, and when; proof-all runs it all.
proof:
	@export $(test_environment); $(SHELL) $(srcdir)/%D%/proof/proof.sh

proof-all: all
	@export $(test_environment) MAKE='$(MAKE)'; \
	$(SHELL) $(srcdir)/%D%/proof/proof.sh --run
CLEANFILES += proof.md

proof-clean:
	rm -rf proof-logs sanitizers-build
clean-local: proof-clean
	rm -rf %D%/again.logs

.PHONY: abi abi-dump again analyze architectures architectures-parts coverage \
	demo fresh-debian growth mutants proof proof-all proof-clean sanitizers signals \
	soak torture valgrind
