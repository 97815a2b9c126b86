/* cairn-link.c - the links between the nodes of contrib/testnet/lab. */
#include "host/link_server.h"

int main(int argc, char **argv)
{
    return link_main(argc, (const char *const *)argv);
}
