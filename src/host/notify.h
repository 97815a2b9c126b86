/* notify.h - shell commands that tell the operator what happened: -blocknotify and its kin.
 *
 * Layer: host. Loop thread; nothing waits for a command. At most NOTIFY_RUNNING_MAX run at a time,
 * NOTIFY_WAITING_MAX wait; beyond, the oldest that waits is given up with a warning. */
#ifndef HOST_NOTIFY_H
#define HOST_NOTIFY_H

#include <stddef.h>

#include "util/assert.h"
#include "util/log.h"

struct loop;
struct notify;

#define NOTIFY_RUNNING_MAX 8
#define NOTIFY_WAITING_MAX 1024

/* Make one; it watches SIGCHLD, so one of a process. Owns: the caller. Fails: NULL. */
NODISCARD struct notify *notify_new(struct loop *loop, const struct log *log);
/* Free it; commands that run go on without us. NULL is allowed. */
void notify_free(struct notify *notify);

/* Have the shell run command with each %s in it replaced by text, of which only letters, digits
 * and harmless marks are kept: nothing that a peer can influence reaches the shell as syntax.
 * quoted: put text in single quotes. */
void notify_run(struct notify *notify, const char *command, const char *text, bool quoted);

/* Commands that run or wait. */
size_t notify_pending(const struct notify *notify);

/* The command line that notify_run() would run. Owns: the caller, xfree(). */
NODISCARD char *notify_format(const char *command, const char *text, bool quoted);

/* Tell systemd, if it started us with Type=notify: "READY=1", "STOPPING=1". Never fails. */
void notify_systemd(const char *state);

#endif
