/* link_device.c - see link_device.h */
#include "host/link_device.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/link_pairs.h"
#include "util/alloc.h"

#define OWN_NAMESPACE "/proc/self/ns/net"
#define NETWORK       UINT32_C(0x0a4d0000) /* 10.77.0.0 */
#define NETMASK       UINT32_C(0xffff0000)

#define IPV4_HEADER_BYTES 20
#define IPV4_TARGET_AT    16

char *link_address(uint32_t node, char *out)
{
    ASSERT(node < LINK_NODES_MAX && out);
    struct in_addr address = {htonl(NETWORK + node + 1)};
    ASSERT(inet_ntop(AF_INET, &address, out, LINK_ADDRESS_BYTES));
    return out;
}

uint32_t link_packet_target(struct span packet)
{
    ASSERT(packet.p || packet.len == 0);
    if (packet.len < IPV4_HEADER_BYTES || packet.p[0] >> 4 != 4)
        return UINT32_MAX;
    uint32_t target;
    memcpy(&target, packet.p + IPV4_TARGET_AT, sizeof target);
    uint32_t node = ntohl(target) - NETWORK - 1;
    return node < LINK_NODES_MAX ? node : UINT32_MAX;
}

/* An address, a mask or the state "up" for the interface of that name. Returns: 0 or -1 */
static int set_address(int fd, const char *name, unsigned long what, uint32_t address)
{
    struct ifreq request = {0};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    memcpy(request.ifr_name, name, strlen(name));
    memcpy(&request.ifr_addr, &in, sizeof in);
    return ioctl(fd, what, &request);
}

static int set_up(int fd, const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_UP | IFF_RUNNING};
    memcpy(request.ifr_name, name, strlen(name));
    return ioctl(fd, SIOCSIFFLAGS, &request);
}

/* In the new namespace. Returns: what failed, with errno; NULL: nothing */
static const char *set_up_interfaces(struct link_device *device, uint32_t node)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "lab0"};
    device->tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (device->tun < 0)
        return "open /dev/net/tun";
    if (ioctl(device->tun, TUNSETIFF, &request) != 0)
        return "make a TUN device";
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return "open a socket";
    bool is_set = set_up(fd, "lo") == 0 &&
                  set_address(fd, "lab0", SIOCSIFADDR, NETWORK + node + 1) == 0 &&
                  set_address(fd, "lab0", SIOCSIFNETMASK, NETMASK) == 0 && set_up(fd, "lab0") == 0;
    int code = errno;
    close(fd);
    errno = code;
    return is_set ? NULL : "set up the interface";
}

/* In the new namespace. Returns: as above */
static const char *furnish(struct link_device *device, uint32_t node)
{
    const char *failed = set_up_interfaces(device, node);
    if (failed)
        return failed;
    device->ns = open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);
    return device->ns < 0 ? "open the namespace" : NULL;
}

bool link_device_open(struct link_device *device, uint32_t node, char **error)
{
    ASSERT(device && node < LINK_NODES_MAX && error);
    *device = (struct link_device){-1, -1};
    int home = open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);
    if (home < 0)
        return fail_with(error, "cannot open " OWN_NAMESPACE ": %s", strerror(errno));
    const char *failed = "make a network namespace";
    int code = 0;
    if (unshare(CLONE_NEWNET) != 0) {
        code = errno;
    } else {
        failed = furnish(device, node);
        code = errno;
        ASSERT(setns(home, CLONE_NEWNET) == 0);
    }
    close(home);
    if (!failed)
        return true;
    link_device_close(device);
    return fail_with(error, "cannot %s: %s", failed, strerror(code));
}

void link_device_close(struct link_device *device)
{
    ASSERT(device);
    if (device->tun >= 0)
        close(device->tun);
    if (device->ns >= 0)
        close(device->ns);
    *device = (struct link_device){-1, -1};
}

int link_enter(const char *path)
{
    ASSERT(path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int result = setns(fd, CLONE_NEWNET) == 0 ? 0 : -errno;
    close(fd);
    return result;
}
