quick_unit_tests += \
	tests/check_activation \
	tests/check_notify
tests_check_activation_SOURCES = %D%/check_activation.c
tests_check_notify_SOURCES = %D%/check_notify.c
