src_libunixmsg_all_la_SOURCES += \
	%D%/addr.c \
	%D%/addr_private.h \
	%D%/deadline.c \
	%D%/deadline_private.h \
	%D%/endpoint.c \
	%D%/endpoint.h \
	%D%/environment.c \
	%D%/environment.h \
	%D%/fd.h \
	%D%/kernel.h \
	%D%/process.c \
	%D%/process.h \
	%D%/spin.c \
	%D%/spin.h \
	%D%/stop.c \
	%D%/threads.h \
	%D%/timers.c \
	%D%/timers.h \
	%D%/turn.c \
	%D%/turn.h \
	%D%/wait.c \
	%D%/wait.h \
	%D%/yield.c \
	%D%/yield.h
