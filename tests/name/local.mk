quick_unit_tests += \
	tests/check_diag \
	tests/check_diag_kernel \
	tests/check_give_back \
	tests/check_holder \
	tests/check_name_kill \
	tests/check_name_lock \
	tests/check_name_moments \
	tests/check_name_odd \
	tests/check_name_window \
	tests/check_owner \
	tests/check_probe \
	tests/check_sweep \
	tests/check_way
tests_check_diag_SOURCES = %D%/check_diag.c
tests_check_diag_kernel_SOURCES = %D%/check_diag_kernel.c $(diag_play)
tests_check_give_back_SOURCES = %D%/check_give_back.c
tests_check_holder_SOURCES = %D%/check_holder.c
tests_check_name_SOURCES = %D%/check_name.c
tests_check_name_kill_SOURCES = %D%/check_name_kill.c
tests_check_name_lock_SOURCES = %D%/check_name_lock.c
tests_check_name_moments_SOURCES = %D%/check_name_moments.c $(diag_play)
tests_check_name_odd_SOURCES = %D%/check_name_odd.c $(diag_play)
tests_check_name_races_SOURCES = %D%/check_name_races.c
tests_check_name_window_SOURCES = %D%/check_name_window.c
tests_check_owner_SOURCES = %D%/check_owner.c
tests_check_probe_SOURCES = %D%/check_probe.c
tests_check_sweep_SOURCES = %D%/check_sweep.c
tests_check_takeover_SOURCES = %D%/check_takeover.c
tests_check_way_SOURCES = %D%/check_way.c
