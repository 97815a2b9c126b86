/* cli_answer.h - what the command line shows of a JSON-RPC answer.
 *
 * Layer: rpc. Pure. Spec: the output and exit codes of bitcoin-cli, which programs read. */
#ifndef RPC_CLI_ANSWER_H
#define RPC_CLI_ANSWER_H

#include "rpc/json_write.h"

/* The error code of a reply object, 0 if it is no error. */
int cli_error_code(const struct json_value *reply);

/* Append what is shown of a reply: strings as they are, null as nothing, the rest as indented
 * JSON, or the error's code and message.
 *
 * Returns:  the exit code: 0, or the error code without its sign */
int cli_write_answer(struct buffer *text, const struct json_value *reply);

/* Append the overview of -getinfo.
 *
 * In:  chain    result of getblockchaininfo
 *      network  result of getnetworkinfo, or NULL
 *      colours  with the escape codes of a terminal */
void cli_write_info(struct buffer *text, const struct json_value *chain,
                    const struct json_value *network, bool colours);

#endif
