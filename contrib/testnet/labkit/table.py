"""table.py - the table of "lab status"."""

HEAD = f"{'node':6} {'state':8} {'height':>7} {'tip':10} {'in':>3} {'out':>3} {'mempool':>7} " \
       f"{'MB':>6}  address"
ROWS_MAX = 200


def _row(node):
    how = "up" if node["answers"] else "starting" if node["up"] else "down"
    return (f"{node['name']:6} {how:8} {node['height']:7} {node['tip'][-8:]:10} {node['in']:3} "
            f"{node['out']:3} {node['mempool']:7} {node['pss_kb'] / 1024:6.1f}  {node['address']}"
            + ("  (core)" if node["core"] else ""))


def lines(status):
    """The table as lines of text."""
    nodes = status["nodes"]
    there = [node for node in nodes if node["answers"]]
    tips = {node["tip"] for node in there}
    heights = [node["height"] for node in there] or [0]
    memory_mb = sum(node["pss_kb"] for node in nodes) / 1024
    out = [HEAD] + [_row(node) for node in nodes[:ROWS_MAX]]
    if len(nodes) > ROWS_MAX:
        out.append(f"... and {len(nodes) - ROWS_MAX} more")
    out.append(f"{'' if status['is_open'] else 'starting: '}{len(there)} of {len(nodes)} nodes up, "
               f"{len(tips)} tip{'s' * (len(tips) != 1)}, "
               f"height {min(heights)} to {max(heights)}, {memory_mb:.1f} MB, {status['mode']}; "
               f"mined {status['mined']}, transactions {status['sent']} ({status['tx_rate']:g}/s)")
    if status["links"]:
        out.append("links: " + ", ".join(f"{k} {v}" for k, v in status["links"].items()))
    return out
