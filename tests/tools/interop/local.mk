shell_tests += \
	%D%/go.sh \
	%D%/nc.sh \
	%D%/python.sh \
	%D%/socat.sh
EXTRA_DIST += \
	%D%/echo.go \
	%D%/echo.py
