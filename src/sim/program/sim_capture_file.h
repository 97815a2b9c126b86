/* sim_capture_file.h - the messages in a file of -capturemessages, one after the other.
 *
 * Layer: sim. The format is that of p2p/core/capture.h, which is Core's; see there. */
#ifndef SIM_PROGRAM_SIM_CAPTURE_FILE_H
#define SIM_PROGRAM_SIM_CAPTURE_FILE_H

#include "sim/replay/player.h"

struct sim_capture_file;

/* Open one and look through it: a damaged file is refused before anything of it is played.
 *
 * Returns:  owned by the caller: sim_capture_file_close(); NULL: stderr has a line that says why */
NODISCARD struct sim_capture_file *sim_capture_file_open(const char *path);
/* Close it. */
void sim_capture_file_close(struct sim_capture_file *file);

/* The time of its first message: microseconds since 1970. */
int64_t sim_capture_file_begins_us(const struct sim_capture_file *file);
/* How many messages it has. */
uint64_t sim_capture_file_count(const struct sim_capture_file *file);
/* Its messages in order. Borrows file. */
struct player_source sim_capture_file_source(struct sim_capture_file *file);

#endif
