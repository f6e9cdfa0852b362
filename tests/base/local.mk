quick_unit_tests += \
	tests/check_addr \
	tests/check_deadline \
	tests/check_process \
	tests/check_spin \
	tests/check_timers \
	tests/check_turn \
	tests/check_yield
tests_check_addr_SOURCES = %D%/check_addr.c
tests_check_deadline_SOURCES = %D%/check_deadline.c
tests_check_process_SOURCES = %D%/check_process.c
tests_check_spin_SOURCES = %D%/check_spin.c
tests_check_timers_SOURCES = %D%/check_timers.c
tests_check_turn_SOURCES = %D%/check_turn.c
tests_check_yield_SOURCES = %D%/check_yield.c
