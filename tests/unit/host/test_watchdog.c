/* test_watchdog.c - signs of life for who asks for them, and for nobody else. */
#include "host/watchdog.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/loop.h"
#include "support/unit.h"
#include "temp_dir.h"

TEST(signs_of_life_come_in_half_the_time)
{
    struct temp_dir dir;
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    char text[64] = "", pid[32];
    struct loop *loop = loop_new();
    temp_dir_make(&dir);
    size_t len = strlen(temp_path(&dir, "notify"));
    assert_true(len < sizeof to.sun_path);
    memcpy(to.sun_path, temp_path(&dir, "notify"), len + 1);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof to), 0);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("NOTIFY_SOCKET", to.sun_path, 1);
    setenv("WATCHDOG_USEC", "40000", 1);
    setenv("WATCHDOG_PID", pid, 1);
    struct watchdog *watchdog = watchdog_new(loop);
    assert_non_null(watchdog);
    int64_t start_us = loop_now_us();
    for (int i = 0; i < 3; i++)
        while (recv(fd, text, sizeof text - 1, MSG_DONTWAIT) < 0)
            loop_run_once(loop, true);
    assert_string_equal(text, "WATCHDOG=1");
    assert_true(loop_now_us() - start_us >= 40000);
    watchdog_free(watchdog);
    unsetenv("NOTIFY_SOCKET");
    close(fd);
    loop_free(loop);
    temp_dir_remove(&dir);
}

TEST(nobody_who_is_not_meant_gives_them)
{
    static const struct {
        const char *us, *pid;
    } rows[] = {{NULL, NULL}, {"", NULL}, {"0", NULL}, {"999", NULL}, {"x", NULL}, {"40000", "1"}};
    struct loop *loop = loop_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
        if (rows[i].us)
            setenv("WATCHDOG_USEC", rows[i].us, 1);
        if (rows[i].pid)
            setenv("WATCHDOG_PID", rows[i].pid, 1);
        assert_null(watchdog_new(loop));
    }
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    loop_free(loop);
}
