/* cairn-cli.c - call a method of a running node and show what it answers. */
#include "host/cli.h"

int main(int argc, char **argv)
{
    return cli_main(argc, (const char *const *)argv);
}
