
"use strict";
/* The dashboard of one node. Whatever comes from the chain or from peers is somebody else's text:
 * it becomes text nodes and nothing else, through make() and clean(). Events drive it; what has none
 * (peers, the mesh) is asked for now and then, and only while somebody looks. */

const BLOCKS_SHOWN = 8, NEWS_SHOWN = 8, LIST_SHOWN = 50, MESH_LISTED = 200, BEST_LAYOUT = 150;
const BLOCK_GAP_MS = 500, TX_GAP_MS = 3000; /* between two looks that such events ask for */
const BANDS_GAP_MS = 5000;      /* between two pictures of the mempool */
const PEERS_MS = 10000, CALM_MS = 30000, AGES_MS = 10000, MESH_MS = 2000;
const ASK_MS = 20000;           /* for an answer */
const RETRY_FIRST_MS = 1000, RETRY_MOST_MS = 10000;
const HIDDEN_MS = 60000;        /* a tab that nobody looks at keeps its stream so long */
const BLOCK_VBYTES = 1000000;

const $ = (id) => document.getElementById(id);
const state = {
  chain: null, blocks: [], news: [], peers: null, bands: null, cursor: "", source: null,
  lookedAt: 0, bandsAt: 0, lookTimer: 0, retryMs: RETRY_FIRST_MS, retryTimer: 0, view: 0,
  mesh: null, meshShape: "", hasMesh: true, isOpen: false, hiddenTimer: 0,
};

/* -- Elements ------------------------------------------------------------------------------- */

/* Control characters, and those that turn the direction of text around or cannot be seen: a
 * stranger's text must not look like ours. */
const clean = (text) =>
  String(text).replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g, "\ufffd");

function fill(node, children) {
  for (const child of children.flat())
    if (child !== null && child !== undefined && child !== "")
      node.append(child instanceof Node ? child : clean(child));
  return node;
}

/* make("a", {class: "x", href: "#/"}, "text", node, ...) */
function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  return fill(node, children);
}

function draw(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return fill(node, children);
}

const put = (place, ...children) => { place.replaceChildren(); return fill(place, children); };
const empty = (text) => make("p", {class: "empty"}, text);
const link = (href, text, attributes) => make("a", {href, ...attributes}, text);
const mono = (text) => make("span", {class: "mono"}, text);

function facts(rows) {
  const list = make("dl", {class: "facts"});
  for (const [name, value, isWide] of rows)
    if (value !== null && value !== undefined && value !== "")
      list.append(make("div", isWide ? {class: "wide"} : {}, make("dt", {}, name),
                       make("dd", {}, value)));
  return list;
}

/* A part of a long list; a button shows more. */
function longList(list, items, row) {
  const box = make("div"), more = make("button", {type: "button", class: "more"});
  let shown = 0;
  const show = () => {
    for (const end = Math.min(items.length, shown + LIST_SHOWN); shown < end; shown++)
      list.append(row(items[shown], shown));
    more.hidden = shown === items.length;
    more.textContent = `Show more (${count(items.length - shown)} left)`;
  };
  more.addEventListener("click", show);
  show();
  return fill(box, [list, more]);
}

/* -- Words and numbers ---------------------------------------------------------------------- */

const count = (n) => Number(n).toLocaleString("en");
const short = (id) => id.length > 20 ? `${id.slice(0, 8)}\u2026${id.slice(-6)}` : id;
const coins = (value) => `${Number(value).toFixed(8)} BTC`;
const plural = (n, one, many) => `${count(n)} ${n === 1 ? one : many}`;
const cut = (text) => { const all = [...String(text)]; return all.length > 14 ? all.slice(0, 13).join("") + "\u2026" : text; };
const isId = (text) => /^[0-9a-f]{64}$/.test(text);

function bytes(n) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let i = 0;
  for (; n >= 1000 && i + 1 < units.length; i++) n /= 1000;
  return `${i > 0 && n < 100 ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}

function span(s) {
  for (const [name, size] of [["d", 86400], ["h", 3600], ["min", 60]])
    if (s >= size) return `${count(Math.floor(s / size))} ${name}`;
  return `${Math.max(0, Math.floor(s))} s`;
}

const nowS = () => Date.now() / 1000;
const milliseconds = (s) => s === undefined ? "\u2013" : `${(s * 1000).toFixed(s < 0.01 ? 1 : 0)} ms`;
const when = (s) => new Date(s * 1000).toISOString().replace("T", " ").slice(0, 19) + " UTC";

/* Kept up to date by refreshAges(). A time that is set ahead is shown as it is. */
function age(s) {
  const node = make("time", {datetime: new Date(s * 1000).toISOString(), title: when(s), "data-s": s});
  node.textContent = ageText(s);
  return node;
}
const ageText = (s) => nowS() < s - 60 ? when(s) : nowS() < s + 5 ? "just now" : `${span(nowS() - s)} ago`;
function refreshAges() {
  for (const node of document.querySelectorAll("time[data-s]")) {
    const text = ageText(Number(node.dataset.s));
    if (node.textContent !== text) node.textContent = text;
  }
}

const rate = (satPerVbyte) =>
  satPerVbyte >= 10 ? Math.round(satPerVbyte) : Number(satPerVbyte.toFixed(1));

/* -- The node ------------------------------------------------------------------------------- */

class NoSession extends Error {}
class Unreachable extends Error {}
class Refused extends Error {
  constructor(error) { super(error.message); this.code = error.code; }
}

/* One request for all of the calls. Returns their answers, {result} or {error}, in order. */
async function askAll(calls) {
  const body = JSON.stringify(calls.map(([method, ...params], id) =>
    ({jsonrpc: "2.0", id, method, params})));
  let answer;
  try {
    answer = await fetch("/ui/rpc", {
      method: "POST", headers: {"Content-Type": "application/json"}, body,
      signal: AbortSignal.timeout(ASK_MS)});
    if (answer.status === 403) throw new NoSession();
    if (!answer.ok) throw new Unreachable(`HTTP ${answer.status}`);
    return await answer.json();
  } catch (error) {
    throw error instanceof NoSession ? error : new Unreachable(error.message);
  }
}

async function ask(method, ...params) {
  const [answer] = await askAll([[method, ...params]]);
  if (answer.error) throw new Refused(answer.error);
  return answer.result;
}

/* -- How things stand ----------------------------------------------------------------------- */

function say(name, text) {
  $("status").dataset.state = name;
  if ($("status-text").textContent !== text) $("status-text").textContent = text;
}

function banner(...children) {
  $("banner").hidden = children.length === 0;
  put($("banner"), ...children);
}

function closeGate(why) {
  stopListening();
  say("lost", "Not signed in");
  banner();
  state.isOpen = false;
  if (why) $("gate-why").textContent = why;
  $("gate").hidden = false;
  $("overview").hidden = true;
  $("detail").hidden = true;
  $("search").hidden = true;
}

function stopListening() {
  if (state.source) state.source.close();
  state.source = null;
}

/* Something has failed: say so, and try again. */
function trouble(error) {
  stopListening();
  if (error instanceof NoSession) {
    const why = state.isOpen
      ? "The session is over: the node was started again, its logins have changed, or twelve hours have passed. In a terminal on the node's machine, run"
      : new URLSearchParams(location.search).has("token")
        ? "This address has been used already, or is too old. For a new one, run in a terminal on the node's machine" : "";
    closeGate(why);
    return;
  }
  if (error instanceof Refused && error.code === -28) {
    say("wait", "Starting");
    banner(`The node is starting: ${error.message}`);
    state.retryMs = RETRY_FIRST_MS;
  } else {
    say("lost", "Connection lost, retrying");
    if (state.isOpen) banner("The node does not answer. What is shown is of before; this page goes on by itself as soon as it is back.");
  }
  clearTimeout(state.retryTimer);
  state.retryTimer = setTimeout(connect, state.retryMs);
  state.retryMs = Math.min(RETRY_MOST_MS, state.retryMs * 1.7);
}

async function connect() {
  clearTimeout(state.retryTimer);
  try {
    await look();
    if (!state.isOpen) {
      state.isOpen = true;
      $("gate").hidden = true;
      $("search").hidden = false;
      route();
    }
    listen();
    await lookAtPeers();
  } catch (error) {
    trouble(error);
  }
}

function listen() {
  stopListening();
  const cursor = state.cursor ? `?last_event_id=${encodeURIComponent(state.cursor)}` : "";
  const source = state.source = new EventSource(`/ui/events${cursor}`);
  const on = (name, handler) => source.addEventListener(name, (event) => {
    state.cursor = event.lastEventId;
    handler(JSON.parse(event.data));
  });
  source.onopen = () => {
    state.retryMs = RETRY_FIRST_MS;
    banner();
    showState();
  };
  source.onerror = () => trouble(new Unreachable("the stream has ended"));
  for (const name of ["hello", "reset", "block_connected", "block_disconnected"])
    on(name, () => lookWithin(BLOCK_GAP_MS));
  on("tx_accepted", (tx) => { addNews(tx); lookWithin(TX_GAP_MS); });
  on("tx_replaced", () => lookWithin(TX_GAP_MS));
  on("tx_removed", (tx) => { if (tx.reason !== "block") lookWithin(TX_GAP_MS); });
}

/* Look at once, or as soon as the last look was so long ago. */
function lookWithin(gapMs) {
  const due = Math.max(Date.now(), state.lookedAt + gapMs);
  if (state.lookTimer && state.lookDue <= due) return;
  clearTimeout(state.lookTimer);
  state.lookDue = due;
  state.lookTimer = setTimeout(() => look().catch(trouble), due - Date.now());
}

async function look() {
  clearTimeout(state.lookTimer);
  state.lookTimer = 0;
  state.lookedAt = Date.now();
  const wantsBands = state.lookedAt - state.bandsAt >= BANDS_GAP_MS;
  const calls = [["getblockchaininfo"], ["getmempoolinfo"], ["getnetworkinfo"], ["getnettotals"], ["uptime"]];
  if (wantsBands) calls.push(["getmempoolbands"]);
  const answers = await askAll(calls);
  if (answers[0].error) throw new Refused(answers[0].error);
  const [chain, pool, net, totals, uptime] = answers.map((answer) => answer.result);
  Object.assign(state, {chain, pool, net, totals, uptime});
  if (wantsBands) {
    state.bands = answers[5].result || null;
    state.bandsAt = Date.now();
    showPool();
  } else if (pool && pool.size !== sumOf(state.bands)) {
    lookWithin(BANDS_GAP_MS - (state.lookedAt - state.bandsAt));
  }
  await loadBlocks();
  showState();
}

const sumOf = (bands) => (bands || []).reduce((sum, band) => sum + band.count, 0);

async function lookAtPeers() {
  if (!state.isOpen || document.hidden) return;
  state.peers = await ask("getpeerinfo");
  showPeers();
  if (state.chain) showFigures();
}

/* The latest blocks. One more on top of what is known is one call. */
async function loadBlocks() {
  const tip = state.chain.bestblockhash, known = state.blocks[0];
  if (known && known.hash === tip) return;
  if (known && state.chain.blocks === known.height + 1) {
    const header = await ask("getblockheader", tip);
    if (header.previousblockhash === known.hash) {
      state.blocks = [header, ...state.blocks].slice(0, BLOCKS_SHOWN);
      showBlocks(1);
      return;
    }
  }
  const heights = [];
  for (let h = state.chain.blocks; h >= 0 && heights.length < BLOCKS_SHOWN; h--) heights.push(h);
  const hashes = (await askAll(heights.map((h) => ["getblockhash", h]))).map((a) => a.result).filter(Boolean);
  if (hashes.length === 0) return;
  const headers = await askAll(hashes.map((hash) => ["getblockheader", hash]));
  const before = new Set(state.blocks.map((block) => block.hash));
  state.blocks = headers.map((answer) => answer.result).filter(Boolean);
  showBlocks(before.size ? state.blocks.filter((block) => !before.has(block.hash)).length : 0);
}

/* -- The overview --------------------------------------------------------------------------- */

function showState() {
  const chain = state.chain;
  const names = {main: "Mainnet", test: "Testnet 3", testnet4: "Testnet 4", signet: "Signet", regtest: "Regtest"};
  $("network").hidden = false;
  put($("network"), names[chain.chain] || chain.chain);
  const behind = chain.headers - chain.blocks;
  const syncs = behind > 0 || (chain.initialblockdownload && chain.chain in names && chain.chain !== "regtest");
  $("sync").hidden = !syncs;
  if (syncs) {
    $("sync-bar").value = chain.verificationprogress;
    put($("sync-text"), `${(chain.verificationprogress * 100).toFixed(2)} % verified: block ${count(chain.blocks)} of ${count(chain.headers)} that are known`);
  }
  if (state.source && state.source.readyState === EventSource.OPEN) say("live", syncs ? "Live, catching up" : "Live");
  showFigures();
  const about = state.net ? `${state.net.subversion} \u00b7 up for ${span(state.uptime)}` : "";
  put($("foot"), about);
  const warnings = [].concat(chain.warnings || []).filter(Boolean);
  if (warnings.length && $("banner").hidden) banner(warnings.join(" "));
}

function showFigures() {
  const {chain, pool, net, totals} = state;
  const peers = net ? net.connections : 0;
  const figure = (name, value, more) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, value, make("small", {}, more || "\u00a0")));
  put($("figures"),
    figure("Height", count(chain.blocks), state.blocks[0] ? fill(document.createDocumentFragment(), ["last block ", age(state.blocks[0].time)]) : ""),
    figure("Mempool", pool ? count(pool.size) : "\u2013", pool ? `${bytes(pool.usage)} of ${bytes(pool.maxmempool)} of memory` : "not loaded yet"),
    figure("Peers", count(peers), net ? `${count(net.connections_in || 0)} in, ${count(net.connections_out || 0)} out` : ""),
    figure("Traffic", totals ? bytes(totals.totalbytesrecv + totals.totalbytessent) : "\u2013",
           totals ? `${bytes(totals.totalbytesrecv)} in, ${bytes(totals.totalbytessent)} out` : ""));
}

function showBlocks(nFresh) {
  put($("blocks"), state.blocks.map((block, i) =>
    make("li", i < nFresh ? {class: "fresh"} : {},
      link(`#/block/${block.hash}`, "", {"aria-label": `Block ${block.height}, ${plural(block.nTx, "transaction", "transactions")}`}))));
  state.blocks.forEach((block, i) => fill($("blocks").children[i].firstChild, [
    make("b", {}, count(block.height)), make("span", {}, plural(block.nTx, "transaction", "transactions")),
    make("span", {}, age(block.time)), make("span", {class: "mono"}, short(block.hash))]));
}

/* From what is mined first downwards, until a block is full. */
function nextBlockFrom(bands) {
  let vbytes = 0;
  for (let i = bands.length - 1; i >= 0; i--) {
    vbytes += bands[i].vbytes;
    if (vbytes >= BLOCK_VBYTES) return i;
  }
  return 0;
}

function bandName(bands, i) {
  return i + 1 < bands.length ? `${bands[i].from} to ${bands[i + 1].from} sat/vB` : `${bands[i].from} sat/vB and more`;
}

function showPool() {
  const bands = state.bands, place = $("pool");
  if (!bands || sumOf(bands) === 0) {
    put(place, empty(bands ? "No transaction waits." : "There is no mempool yet."));
    return;
  }
  let first = bands.findIndex((band) => band.count), last = bands.length - 1;
  while (!bands[last].count) last--;
  while (last - first < 9 && (first > 0 || last < bands.length - 1)) {
    if (last < bands.length - 1) last++;
    if (first > 0 && last - first < 9) first--;
  }
  const most = Math.max(...bands.map((band) => band.vbytes)), next = nextBlockFrom(bands);
  const bars = make("ol", {class: "bars", "aria-label": "Virtual size that waits, by feerate"});
  const scale = make("div", {class: "scale", "aria-hidden": "true"});
  const step = Math.ceil((last - first + 1) / 13);
  for (let i = first; i <= last; i++) {
    const band = bands[i], name = bandName(bands, i);
    const words = `${name}: ${plural(band.count, "transaction", "transactions")}, ${bytes(band.vbytes)}`;
    const bar = make("i", {});
    bar.style.height = `${band.vbytes ? Math.max(1.5, 100 * band.vbytes / most) : 0}%`;
    if (!band.vbytes) bar.style.minHeight = "0";
    bars.append(make("li", {class: i >= next && band.count ? "next" : "", title: words}, bar, make("span", {class: "quiet"}, words)));
    scale.append(make("span", {}, (i - first) % step === 0 ? String(bands[i].from) : ""));
  }
  const fees = bands.slice(next).reduce((sum, band) => sum + band.fees, 0);
  put(place, bars, scale, make("p", {class: "key"}, make("span", {class: "next"}, "room in the next block"),
    make("span", {}, "later"), make("span", {class: "plain"}, `sat/vB; fees of the next block about ${coins(fees)}`)));
}

function addNews(tx) {
  state.news = [tx, ...state.news].slice(0, NEWS_SHOWN);
  if (!state.newsTimer) state.newsTimer = setTimeout(showNews, 200);
}

function showNews() {
  state.newsTimer = 0;
  if (state.news.length === 0) {
    put($("news"), empty("Transactions that come in are shown here."));
    return;
  }
  put($("news"), make("ul", {class: "rows"}, state.news.map((tx) => make("li", {},
    link(`#/tx/${tx.txid}`, short(tx.txid), {class: "mono grow"}),
    make("span", {class: "soft"}, `${rate(tx.fee * 1e8 / tx.vsize)} sat/vB \u00b7 ${count(tx.vsize)} vB`)))));
}

const kinds = {"inbound": "in", "outbound-full-relay": "out", "block-relay-only": "out, blocks only", "manual": "by hand",
               "feeler": "feeler", "addr-fetch": "addresses", "private-broadcast": "private"};

function showPeers() {
  const peers = state.peers;
  if (peers.length === 0) {
    put($("peers"), empty("No peers yet. The node looks for some by itself, unless it was told not to."));
    return;
  }
  const body = make("tbody");
  const table = make("table", {class: "cards"},
    make("thead", {}, make("tr", {}, ["Peer", "Kind", "Round trip", "Received", "Sent", "Height", "For"].map((name, i) =>
      make("th", {scope: "col", class: i > 1 ? "num" : ""}, name)))), body);
  const cell = (name, value) => make("td", {class: "num", "data-name": name}, value);
  const row = (peer) => make("tr", {},
    make("td", {}, link(`#/peer/${peer.id}`, peer.addr), make("small", {}, peer.subver || "no version yet")),
    make("td", {"data-name": "Kind"}, kinds[peer.connection_type] || peer.connection_type),
    cell("Round trip", milliseconds(peer.pingtime)), cell("Received", bytes(peer.bytesrecv)),
    cell("Sent", bytes(peer.bytessent)), cell("Height", peer.synced_headers >= 0 ? count(peer.synced_headers) : "\u2013"),
    cell("For", span(nowS() - peer.conntime)));
  keepFocus($("peers"), () => put($("peers"), longList(table, peers, (peer) => { body.append(row(peer)); return ""; })));
}

/* What is drawn anew loses the keyboard's place: give it back to the link that had it. */
function keepFocus(place, redraw) {
  const active = place.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  redraw();
  if (active) for (const other of place.querySelectorAll("a")) if (other.getAttribute("href") === active) other.focus();
}

/* -- The mesh ------------------------------------------------------------------------------- */

const EDGE = 40;

/* Who is linked lies near, all others keep away. The same graph always looks the same. Returns: places in
 * a square of side 1 */
function layOut(nodes, links) {
  const n = nodes.length, at = nodes.map((node, i) => {
    const turn = n > BEST_LAYOUT ? i * 2.39996 : 2 * Math.PI * i / n, r = n > BEST_LAYOUT ? Math.sqrt(i / n) : 0.7;
    return [Math.cos(turn) * r, Math.sin(turn) * r];
  });
  const near = 1.6 / Math.sqrt(Math.max(1, n));
  for (let round = 0; n <= BEST_LAYOUT && round < 150; round++) {
    const move = at.map(() => [0, 0]), heat = 0.06 * (1 - round / 150);
    const pull = (i, j, force) => {
      const dx = at[i][0] - at[j][0], dy = at[i][1] - at[j][1], d = Math.hypot(dx, dy) || 0.001, f = force(d) / d;
      move[i][0] += dx * f; move[i][1] += dy * f; move[j][0] -= dx * f; move[j][1] -= dy * f;
    };
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) pull(i, j, (d) => near * near / d);
    for (const [i, j] of links) pull(i, j, (d) => -d * d / near / 3);
    at.forEach((p, i) => { /* towards the middle, so that parts that are not linked stay in sight */
      move[i][0] -= p[0]; move[i][1] -= p[1];
      const d = Math.hypot(...move[i]) || 1, step = Math.min(d, heat) / d;
      p[0] += move[i][0] * step; p[1] += move[i][1] * step;
    });
  }
  const fit = (axis) => {
    const all = at.map((p) => p[axis]), low = Math.min(...all), range = Math.max(...all) - low;
    at.forEach((p) => { p[axis] = range < 1e-6 ? 0.5 : (p[axis] - low) / range; });
  };
  fit(0);
  fit(1);
  return at;
}

/* The file is another program's: only what has the right shape is taken. */
function readMesh(file) {
  const nodes = Array.isArray(file.nodes) ? file.nodes.filter((node) => node && typeof node === "object") : [];
  const index = new Map(nodes.map((node, i) => [node.id, i]));
  const links = (Array.isArray(file.links) ? file.links : [])
    .filter((l) => l && index.has(l.from) && index.has(l.to) && l.from !== l.to)
    .map((l) => [index.get(l.from), index.get(l.to), Number(l.rtt_ms)]);
  return {nodes, links, time: Number(file.time) || 0};
}

async function lookAtMesh() {
  if (!state.isOpen || !state.hasMesh || document.hidden || $("overview").hidden) return;
  const answer = await fetch("/ui/mesh", {signal: AbortSignal.timeout(ASK_MS)});
  if (answer.status === 404 || answer.status === 500) {
    /* No map, or none yet: an operator who adds one reloads the page, or waits. */
    state.meshMisses = (state.meshMisses || 0) + 1;
    $("mesh").hidden = true;
    return;
  }
  if (!answer.ok) return;
  showMesh(readMesh(await answer.json()));
}

function showMesh(mesh) {
  const tips = new Map();
  for (const node of mesh.nodes) if (node.up) tips.set(node.tip, (tips.get(node.tip) || 0) + 1);
  const best = [...tips].sort((a, b) => b[1] - a[1])[0];
  const up = mesh.nodes.filter((node) => node.up).length;
  const kind = (node) => !node.up ? "down" : node.tip === best[0] ? "" : "other";
  const old = mesh.time && nowS() - mesh.time > 10 ? ` The map is ${span(nowS() - mesh.time)} old.` : "";
  $("mesh").hidden = mesh.nodes.length === 0;
  put($("mesh-text"), `${plural(mesh.nodes.length, "node", "nodes")}, ${count(up)} up, ${plural(mesh.links.length, "link", "links")}. ` +
    (best ? `${count(best[1])} of them on one tip${tips.size > 1 ? `, ${plural(tips.size - 1, "other tip", "other tips")}` : ""}.` : "") + old);
  const shape = JSON.stringify([mesh.nodes.map((node) => node.id), mesh.links.map((l) => l.slice(0, 2))]);
  if (shape !== state.meshShape) state.meshAt = layOut(mesh.nodes, mesh.links);
  state.meshShape = shape;
  const width = Math.max(280, $("mesh-map").clientWidth), height = Math.min(430, width), isLarge = mesh.nodes.length > 60;
  const at = state.meshAt.map(([x, y]) => [EDGE + x * (width - 2 * EDGE), EDGE / 2 + y * (height - 1.5 * EDGE)]);
  const svg = draw("svg", {viewBox: `0 0 ${width} ${height}`, role: "img", "aria-labelledby": "mesh-title mesh-text"});
  for (const [i, j, rtt] of mesh.links)
    svg.append(draw("line", {x1: at[i][0], y1: at[i][1], x2: at[j][0], y2: at[j][1]},
      draw("title", {}, `${mesh.nodes[i].name} \u2013 ${mesh.nodes[j].name}${rtt >= 0 ? `: ${Math.round(rtt)} ms` : ""}`)));
  mesh.nodes.forEach((node, i) => {
    svg.append(draw("circle", {cx: at[i][0], cy: at[i][1], r: isLarge ? 5 : 9, class: kind(node)},
      draw("title", {}, `${node.name}: ${node.up ? `height ${node.height}, ${plural(Number(node.peers), "peer", "peers")}` : "down"}`)));
    if (!isLarge) svg.append(draw("text", {x: at[i][0], y: at[i][1] + 24}, cut(node.name)));
  });
  put($("mesh-map"), svg);
  put($("mesh-list"), make("ul", {class: "rows"}, mesh.nodes.slice(0, MESH_LISTED).map((node) => make("li", {},
    make("span", {class: "grow"}, node.name), make("span", {class: "soft"}, node.up
      ? `height ${count(node.height)} \u00b7 ${short(String(node.tip))} \u00b7 ${plural(Number(node.peers), "peer", "peers")}` : "down")))));
}

/* -- One thing in detail -------------------------------------------------------------------- */

const crumb = () => make("p", {}, link("#/", "\u2190 Overview"));
const heading = (title, more) => make("header", {}, make("h1", {tabindex: "-1"}, title), more || "");

async function blockView(which) {
  const hash = isId(which) ? which : await ask("getblockhash", Number(which));
  const block = await ask("getblock", hash, 1);
  let stats = null;
  try {
    stats = await ask("getblockstats", hash, ["totalfee", "subsidy", "avgfeerate", "total_out"]);
  } catch (error) {
    if (!(error instanceof Refused)) throw error; /* pruned, or without undo data */
  }
  const isOn = block.confirmations >= 0;
  const nav = make("nav", {"aria-label": "Blocks beside"},
    block.previousblockhash ? link(`#/block/${block.previousblockhash}`, "\u2190 Before") : "", " ",
    block.nextblockhash ? link(`#/block/${block.nextblockhash}`, "After \u2192") : "");
  return ["Block " + count(block.height), [heading("Block " + count(block.height), nav),
    isOn ? "" : make("p", {}, "This block is not in the best chain."),
    facts([["Hash", mono(block.hash), true], ["Time", when(block.time)], ["Confirmations", isOn ? count(block.confirmations) : ""],
      ["Transactions", count(block.nTx)], ["Size", `${bytes(block.size)}, ${count(block.weight)} WU`],
      ["Fees", stats && coins(stats.totalfee / 1e8)], ["New coins", stats && coins(stats.subsidy / 1e8)],
      ["Average feerate", stats && block.nTx > 1 && `${stats.avgfeerate} sat/vB`], ["Version", block.versionHex],
      ["Difficulty", block.difficulty < 0.001 ? block.difficulty.toExponential(3) : block.difficulty.toLocaleString("en", {maximumSignificantDigits: 6})],
      ["Merkle root", mono(block.merkleroot), true]]),
    make("h2", {}, "Transactions"),
    longList(make("ol", {class: "rows"}), block.tx, (id, i) => make("li", {},
      link(`#/tx/${id}/${block.hash}`, id, {class: "mono grow"}), make("span", {class: "soft"}, i === 0 ? "coinbase" : "")))]];
}

/* The text that is in a script that carries data, as far as it is one. */
function noteOf(hex) {
  const raw = Uint8Array.from(hex.match(/../g) || [], (pair) => parseInt(pair, 16));
  const text = new TextDecoder().decode(raw);
  const strange = [...clean(text)].filter((c) => c === "\ufffd").length;
  return text.length > 0 && strange * 4 < text.length ? text : "";
}

/* What is pushed behind OP_RETURN: one push as nearly always, else all of it. */
function dataOf(script) {
  const length = parseInt(script.hex.slice(2, 4), 16);
  const head = length === 0x4c ? 6 : length === 0x4d ? 8 : 4;
  return noteOf(script.hex.slice(head));
}

const addressLink = (address) => link(`#/address/${encodeURIComponent(address)}`, address, {class: "mono"});

function outputRow(out) {
  const script = out.scriptPubKey, note = script.type === "nulldata" ? dataOf(script) : "";
  return make("li", {}, make("span", {class: "grow-text"},
    script.address ? addressLink(script.address) : script.type === "nulldata" ? "Data" : `Script: ${script.type}`),
    make("span", {class: "soft"}, coins(out.value)), note ? make("span", {class: "note"}, note) : "");
}

function inputRow(input) {
  if (input.coinbase !== undefined) {
    const note = noteOf(input.coinbase);
    return make("li", {}, make("span", {class: "grow-text"}, "New coins"), note ? make("span", {class: "note"}, note) : "");
  }
  const of = input.prevout && input.prevout.scriptPubKey.address;
  const from = link(`#/tx/${input.txid}`, `${short(input.txid)}:${input.vout}`, {class: "mono"});
  return make("li", {}, make("span", {class: "grow-text"}, of ? [addressLink(of), make("small", {}, "from ", from)] : from),
    make("span", {class: "soft"}, input.prevout ? coins(input.prevout.value) : ""));
}

async function txView(id, blockHash) {
  const params = blockHash && isId(blockHash) ? [id, 2, blockHash] : [id, 2];
  let tx, entry = null;
  try {
    tx = await ask("getrawtransaction", ...params);
  } catch (error) {
    if (error instanceof Refused && error.code === -5)
      throw new Refused({code: -5, message: "The node does not find this transaction. Without -txindex it finds those that wait, and those that are opened from their block."});
    throw error;
  }
  if (!tx.blockhash) {
    try {
      entry = await ask("getmempoolentry", id);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }
  const fee = tx.fee !== undefined ? tx.fee : entry && entry.fees.base;
  const total = tx.vout.reduce((sum, out) => sum + out.value, 0);
  const status = tx.blockhash ? link(`#/block/${tx.blockhash}`, tx.confirmations ? plural(tx.confirmations, "confirmation", "confirmations") : "in a block")
    : entry ? fill(make("span"), ["waits, since ", age(entry.time)]) : "waits";
  return ["Transaction " + short(id), [heading("Transaction"),
    facts([["Id", mono(tx.txid), true], ["Status", status], ["Time", tx.blocktime && when(tx.blocktime)],
      ["Fee", fee !== null && fee !== undefined && `${coins(fee)} (${rate(fee * 1e8 / tx.vsize)} sat/vB)`],
      ["Outputs together", coins(total)], ["Size", `${count(tx.vsize)} vB, ${count(tx.weight)} WU`], ["Version", String(tx.version)],
      ["Lock time", tx.locktime ? count(tx.locktime) : ""]]),
    make("div", {class: "flow"},
      make("section", {}, make("h2", {}, plural(tx.vin.length, "input", "inputs")), longList(make("ol", {class: "rows"}), tx.vin, inputRow)),
      make("section", {}, make("h2", {}, plural(tx.vout.length, "output", "outputs")), longList(make("ol", {class: "rows"}), tx.vout, outputRow)))]];
}

async function addressView(address) {
  let balance, history;
  try {
    balance = await ask("getaddressbalance", [address]);
    history = await ask("getaddresshistory", [address], 1000);
  } catch (error) {
    if (error instanceof Refused && /addressindex/.test(error.message))
      throw new Refused({code: error.code, message: "Addresses are found by an index that is off: start the node with -addressindex."});
    throw error;
  }
  return ["Address", [heading("Address"),
    facts([["Address", mono(address), true], ["Balance", coins(balance.confirmed)], ["Waiting", balance.mempool ? coins(balance.mempool) : ""],
      ["Received", coins(balance.received)], ["Spent", coins(balance.spent)], ["Transactions", count(history.total)]]),
    make("h2", {}, "Transactions, the latest first"),
    history.transactions.length === 0 ? empty("None so far.") :
    longList(make("ul", {class: "rows"}), history.transactions.reverse(), (tx) => make("li", {},
      link(`#/tx/${tx.txid}${tx.blockhash ? "/" + tx.blockhash : ""}`, short(tx.txid), {class: "mono grow"}),
      make("span", {class: "soft"}, `${tx.received - tx.spent >= 0 ? "+" : "\u2212"}${coins(Math.abs(tx.received - tx.spent))}`),
      make("span", {class: "soft"}, tx.height >= 0 && tx.blockhash ? `block ${count(tx.height)}` : "waits")))]];
}

async function peerView(id) {
  const peer = (await ask("getpeerinfo")).find((one) => String(one.id) === id);
  if (!peer) throw new Refused({code: -5, message: "This peer has gone."});
  const table = (title, sums) => {
    const rows = Object.entries(sums || {}).sort((a, b) => b[1] - a[1]);
    return make("section", {}, make("h2", {}, title), rows.length === 0 ? empty("Nothing.") : make("ul", {class: "rows"},
      rows.map(([name, n]) => make("li", {}, make("span", {class: "grow mono"}, name), make("span", {class: "soft"}, bytes(n))))));
  };
  return ["Peer " + id, [heading("Peer " + id),
    facts([["Address", mono(peer.addr), true], ["Says it is", peer.subver || "nothing yet", true], ["Kind", kinds[peer.connection_type] || peer.connection_type],
      ["Transport", peer.transport_protocol_type], ["Network", peer.network], ["Connected for", span(nowS() - peer.conntime)],
      ["Round trip", milliseconds(peer.pingtime)], ["Fastest round trip", milliseconds(peer.minping)], ["Clock", `${peer.timeoffset} s off`],
      ["Received", bytes(peer.bytesrecv)], ["Sent", bytes(peer.bytessent)], ["Headers in common", peer.synced_headers >= 0 ? count(peer.synced_headers) : ""],
      ["Services", (peer.servicesnames || []).join(", "), true]]),
    make("div", {class: "flow"}, table("Received, by message", peer.bytesrecv_per_msg), table("Sent, by message", peer.bytessent_per_msg))]];
}

/* A block, a transaction, or nothing: the digits do not tell. */
async function findView(id) {
  try {
    await ask("getblockheader", id);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return txView(id);
  }
  return blockView(id);
}

const views = {block: blockView, tx: txView, address: addressView, peer: peerView, find: findView};

async function route() {
  if (!state.isOpen) return;
  const number = ++state.view, detail = $("detail"), typed = $("query").value;
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(decode);
  const view = Object.hasOwn(views, name) ? views[name] : null;
  $("overview").hidden = Boolean(view);
  detail.hidden = !view;
  document.title = "Cairn";
  if (!view) {
    showOverview();
    return;
  }
  put(detail, crumb(), empty("Looking \u2026"));
  let parts;
  try {
    parts = await view(...rest);
  } catch (error) {
    if (!(error instanceof Refused)) trouble(error);
    parts = ["Not found", [heading("Not found"), make("p", {}, error instanceof Refused ? error.message : "The node does not answer.")]];
  }
  if (number !== state.view) return; /* somebody has gone on */
  if (parts[0] !== "Not found" && $("query").value === typed) $("query").value = ""; /* not what is typed meanwhile */
  document.title = `${parts[0]} \u2013 Cairn`;
  put(detail, crumb(), parts[1]);
  window.scrollTo(0, 0);
  const title = detail.querySelector("h1");
  if (title) title.focus({preventScroll: true});
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function showOverview() {
  showPool();
  showNews();
  if (state.peers) showPeers(); else put($("peers"), empty("Looking \u2026"));
  lookAtMesh().catch(() => {});
}

function onSearch(event) {
  event.preventDefault();
  const text = $("query").value.trim();
  if (!text) return;
  const id = text.toLowerCase();
  const target = /^\d{1,9}$/.test(text) ? `#/block/${text}` : isId(id) ? `#/find/${id}` : `#/address/${encodeURIComponent(text)}`;
  if (location.hash === target) route(); else location.hash = target;
}

/* -- Begin ---------------------------------------------------------------------------------- */

const whileSeen = (ms, what) => setInterval(() => {
  if (!document.hidden && state.isOpen && state.source) what().catch(trouble);
}, ms);

function onSeen() {
  clearTimeout(state.hiddenTimer);
  if (document.hidden) {
    state.hiddenTimer = setTimeout(stopListening, HIDDEN_MS);
  } else if (state.isOpen && !state.source) {
    connect();
  } else if (state.isOpen) {
    refreshAges();
  }
}

$("search").hidden = true;
$("search").addEventListener("submit", onSearch);
window.addEventListener("hashchange", route);
document.addEventListener("visibilitychange", onSeen);
whileSeen(PEERS_MS, lookAtPeers);
whileSeen(CALM_MS, look);
setInterval(() => lookAtMesh().catch(() => {}), MESH_MS);
setInterval(refreshAges, AGES_MS);
connect();
