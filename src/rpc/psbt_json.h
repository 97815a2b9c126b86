/* psbt_json.h - PSBTs as text and as JSON.
 *
 * Layer: rpc. Any thread. Spec: Core decodepsbt. */
#ifndef RPC_PSBT_JSON_H
#define RPC_PSBT_JSON_H

#include "rpc/rpc_internal.h"
#include "spend/psbt/psbt.h"

/* Read a base64 text into the call's arena. False, with Core's error, if it is none. */
NODISCARD bool psbt_json_read(struct rpc_call *call, struct span text, struct psbt *out);
/* Put one as a base64 string. */
void psbt_json_put(struct json_out *out, const struct psbt *psbt);
/* Put all that is in one, as an object. */
void psbt_json_put_decoded(struct json_out *out, const struct network *network,
                           const struct psbt *psbt);

#endif
