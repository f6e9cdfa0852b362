shell_tests += \
	%D%/meanwhile.sh \
	%D%/real-pairs.sh \
	%D%/unixmsg-tap.sh

if HAVE_CHECK
quick_unit_tests += \
	tests/check_pcapng \
	tests/check_recorder \
	tests/check_replay \
	tests/check_show \
	tests/check_tap \
	tests/check_tap_kill
tests_check_pcapng_SOURCES = %D%/check_pcapng.c
tests_check_recorder_SOURCES = %D%/check_recorder.c
tests_check_replay_SOURCES = %D%/check_replay.c
tests_check_show_SOURCES = %D%/check_show.c
tests_check_tap_SOURCES = %D%/check_tap.c
tests_check_tap_kill_SOURCES = %D%/check_tap_kill.c
endif
