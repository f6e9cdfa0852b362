# 'make' and 'make check' neither build nor need bench/lanes. run.sh looks for
# the peers when it runs.
EXTRA_PROGRAMS += %D%/lanes
CLEANFILES += %D%/lanes
%C%_lanes_LDADD = $(built_library)
EXTRA_DIST += \
	%D%/peers/boost_queue.cpp \
	%D%/peers/echo.go \
	%D%/peers/echo.py \
	%D%/peers/keeps.py \
	%D%/peers/nng.c \
	%D%/peers/qb.c \
	%D%/peers/stuck.py \
	%D%/peers/window.c \
	%D%/peers/zmq.c \
	%D%/run.sh

bench: $(bin_PROGRAMS) $(bench_programs) examples/26-forward %D%/lanes
	@$(test_environment) ENGINE_SPEED='$(bench_programs)' \
	  BENCH_DIR="$${BENCH_DIR-bench-report}" \
	  $(SHELL) $(srcdir)/%D%/run.sh

.PHONY: bench
