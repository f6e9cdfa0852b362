quick_unit_tests += \
	tests/check_access \
	tests/check_budget \
	tests/check_outbox \
	tests/check_service \
	tests/check_service_access \
	tests/check_service_answers \
	tests/check_service_batch \
	tests/check_service_books \
	tests/check_service_drain \
	tests/check_service_events \
	tests/check_service_fork \
	tests/check_service_forward \
	tests/check_service_lanes \
	tests/check_service_life \
	tests/check_service_limits \
	tests/check_service_open \
	tests/check_service_queue \
	tests/check_service_silence \
	tests/check_shortage \
	tests/check_unread \
	tests/check_users
tests_check_access_SOURCES = %D%/check_access.c
tests_check_budget_SOURCES = %D%/check_budget.c $(diag_play)
tests_check_outbox_SOURCES = %D%/check_outbox.c
tests_check_service_SOURCES = %D%/check_service.c
tests_check_service_LDFLAGS = $(lanes_ldflags)
tests_check_service_access_SOURCES = %D%/check_service_access.c
tests_check_service_access_LDFLAGS = $(lanes_ldflags)
tests_check_service_answers_SOURCES = %D%/check_service_answers.c
tests_check_service_answers_LDFLAGS = $(lanes_ldflags)
tests_check_service_batch_SOURCES = %D%/check_service_batch.c
tests_check_service_books_SOURCES = %D%/check_service_books.c
tests_check_service_books_LDFLAGS = $(lanes_ldflags)
tests_check_service_drain_SOURCES = %D%/check_service_drain.c
tests_check_service_drain_LDFLAGS = $(lanes_ldflags)
tests_check_service_events_SOURCES = %D%/check_service_events.c
tests_check_service_events_LDFLAGS = $(lanes_ldflags)
tests_check_service_fork_SOURCES = %D%/check_service_fork.c
tests_check_service_fork_LDFLAGS = $(lanes_ldflags)
tests_check_service_forward_SOURCES = %D%/check_service_forward.c
tests_check_service_forward_LDFLAGS = $(lanes_ldflags)
tests_check_service_lanes_SOURCES = %D%/check_service_lanes.c
tests_check_service_life_SOURCES = %D%/check_service_life.c
tests_check_service_life_LDFLAGS = $(lanes_ldflags)
tests_check_service_limits_SOURCES = %D%/check_service_limits.c
tests_check_service_limits_LDFLAGS = $(lanes_ldflags)
tests_check_service_load_SOURCES = %D%/check_service_load.c
tests_check_service_open_SOURCES = %D%/check_service_open.c
tests_check_service_open_LDFLAGS = $(lanes_ldflags)
tests_check_service_queue_SOURCES = %D%/check_service_queue.c
tests_check_service_queue_LDFLAGS = $(lanes_ldflags)
tests_check_service_silence_SOURCES = %D%/check_service_silence.c
tests_check_service_silence_LDFLAGS = $(lanes_ldflags)
tests_check_service_stuck_SOURCES = %D%/check_service_stuck.c
tests_check_users_SOURCES = %D%/check_users.c

# What the tests of load talk to.
check_PROGRAMS += tests/service_server
tests_service_server_SOURCES = %D%/service_server.c

# Calls that fail, see proof.
tests_check_unread_SOURCES = $(fault_sources) %D%/check_unread.c
tests_check_unread_LDFLAGS = $(fault_ldflags)
EXTRA_tests_check_unread_DEPENDENCIES = tests/proof/fault.wrap
tests_check_shortage_SOURCES = $(fault_sources) %D%/check_shortage.c
tests_check_shortage_LDFLAGS = $(fault_ldflags)
EXTRA_tests_check_shortage_DEPENDENCIES = tests/proof/fault.wrap
