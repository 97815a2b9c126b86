/* cairnd.c - the node as a program. Start reading at host/daemon.c. */
#include "host/daemon.h"

int main(int argc, char **argv)
{
    return daemon_main(argc, argv);
}
