// ui_browser.js - the dashboard in headless Chromium, by playwright-core: what a user sees and clicks.
// Arguments: port, user:password, folder for pictures ("": none), what test_ui.py has put into the chain, as JSON.
'use strict';
const http = require('http');
const path = require('path');
const {chromium} = require('playwright-core');

const [port, login, pictures, given] = process.argv.slice(2);
const facts = JSON.parse(given);
const origin = `http://127.0.0.1:${port}`;
const WAIT_MS = 60000;

function rpc(method, ...params) {
  return new Promise((resolve, reject) => {
    const request = http.request({host: '127.0.0.1', port, method: 'POST', auth: login,
      headers: {'Content-Type': 'application/json'}}, response => {
      let body = '';
      response.on('data', part => { body += part; });
      response.on('end', () => {
        const {result, error} = JSON.parse(body);
        if (error) reject(new Error(`${method}: ${error.message}`)); else resolve(result);
      });
    });
    request.on('error', reject);
    request.end(JSON.stringify({id: 1, method, params}));
  });
}

function must(holds, what) {
  if (!holds) throw new Error(what);
}

const problems = [];
let isWatched = true;

function watch(page) {
  page.on('console', m => { if (isWatched && m.type() === 'error') problems.push(`console: ${m.text()}`); });
  page.on('pageerror', e => problems.push(`page: ${e.message}`));
  page.on('request', r => {
    if (!r.url().startsWith(origin + '/ui/') && !r.url().startsWith('data:')) problems.push(`request: ${r.url()}`);
  });
}

async function open(browser, width, scheme) {
  const context = await browser.newContext({viewport: {width, height: 900}, colorScheme: scheme});
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  watch(page);
  await page.goto(await rpc('ui'));
  must(page.url() === `${origin}/ui/`, `the token stays in the address: ${page.url()}`);
  await page.getByRole('status').getByText('Live').waitFor();
  await page.getByText(facts.agent).first().waitFor();
  page.named = `${width}-${scheme}`;
  return page;
}

// Pictures are for people: they take most of the time.
const take = async (page, name) => pictures &&
  page.screenshot({path: path.join(pictures, `${name}-${page.named}.png`), fullPage: true, animations: 'disabled'});

async function look(page, name) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  must(wide <= 0, `${name} ${page.named}: ${wide} pixels too wide`);
  const nameless = await page.evaluate(() => [...document.querySelectorAll('a, button, input, progress, svg[role=img]')]
    .filter(e => e.checkVisibility() && !(e.textContent.trim() || e.ariaLabel || e.labels?.length || e.getAttribute('aria-labelledby')))
    .map(e => e.outerHTML.slice(0, 80)));
  must(nameless.length === 0, `${name}: without a name: ${nameless}`);
  await take(page, name);
}

// Nothing that a stranger wrote has become an element or a script.
async function isHarmless(page) {
  const found = await page.evaluate(() => [window.pwned, document.querySelectorAll('img, iframe, b.stranger, body script ~ script').length]);
  must(found[0] === undefined && found[1] === 0, `a stranger's text was taken for a page: ${found}`);
}

async function blockComesAlive(page) {
  const height = await rpc('getblockcount') + 1;
  const [hash] = await rpc('generatetoaddress', 1, facts.address);
  const tile = page.locator(`#blocks li.fresh a[href="#/block/${hash}"]`);
  await tile.waitFor();
  await page.getByText(`Height${height.toLocaleString('en')}`).waitFor();
  return {height, hash};
}

// What comes into the mempool is told at once, and drawn a moment later.
async function transactionsComeAlive(page) {
  let id;
  for (const raw of facts.later.splice(0, 3)) id = await rpc('sendrawtransaction', raw);
  await page.locator(`#news a[href="#/tx/${id}"]`).waitFor();
  await page.waitForFunction(() => document.querySelectorAll('#pool .bars li').length > 0);
}

async function walk(page) {
  await transactionsComeAlive(page);
  await look(page, 'overview');
  const {height, hash} = await blockComesAlive(page);
  await page.click(`#blocks a[href="#/block/${hash}"]`);
  await page.getByRole('heading', {name: `Block ${height}`, exact: true}).waitFor();
  await page.getByRole('link', {name: '\u2190 Before'}).click();
  await page.fill('#query', facts.note_block);
  await page.press('#query', 'Enter');
  await page.getByRole('heading', {name: /^Block [0-9,]+$/}).waitFor();
  await look(page, 'block');
  await page.click(`a[href="#/tx/${facts.note_tx}/${facts.note_block}"]`);
  await page.getByRole('heading', {name: 'Transaction', exact: true}).waitFor();
  must(await page.getByText(facts.note).count() === 1, 'the note is not shown as it is');
  await isHarmless(page);
  await look(page, 'transaction');
  await page.getByRole('link', {name: facts.address}).first().click();
  await page.getByRole('heading', {name: 'Address'}).waitFor();
  await look(page, 'address');
  await page.getByRole('link', {name: '\u2190 Overview'}).click();
  await page.locator('#peers a').first().click();
  await page.getByRole('heading', {name: /^Peer [0-9]+$/}).waitFor();
  await look(page, 'peer');
  await isHarmless(page);
}

// By keys alone: to the search and by it to a block, whose heading has the focus then.
async function keys(page) {
  await page.goto(`${origin}/ui/#/`);
  await page.keyboard.press('Tab');
  must(await page.evaluate(() => document.activeElement.className) === 'skip', 'the first stop is not the link to the content');
  for (let i = 0; i < 2; i++) await page.keyboard.press('Tab');
  await page.keyboard.type('0');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', {name: 'Block 0', exact: true}).waitFor();
  must(await page.evaluate(() => document.activeElement.tagName) === 'H1', 'the heading has no focus');
  await page.fill('#query', 'nonsense<img src=x>');
  await page.press('#query', 'Enter');
  await page.getByRole('heading', {name: 'Not found'}).waitFor();
  await isHarmless(page);
}

// The first page learns of each thing that is not there; the node goes at the end.
async function ends(page) {
  isWatched = false; // a browser tells of refused connections itself
  await page.goto(`${origin}/ui/#/`);
  await page.getByRole('status').getByText('Live').waitFor();
  await rpc('stop');
  await page.getByRole('status').getByText('Connection lost, retrying').waitFor();
  await page.getByText('The node does not answer').waitFor();
  await take(page, 'gone');
}

async function stranger(browser) {
  const page = await (await browser.newContext({viewport: {width: 1280, height: 700}})).newPage();
  await page.goto(`${origin}/ui/`);
  await page.getByRole('heading', {name: 'Open the dashboard from a terminal'}).waitFor();
  page.named = 'light';
  await take(page, 'gate');
  await page.context().close();
}

async function main() {
  const browser = await chromium.launch({executablePath: facts.chromium, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-software-rasterizer']});
  try {
    const first = await open(browser, 1280, 'light');
    await walk(first);
    await keys(first);
    const phone = await open(browser, 390, 'dark');
    await walk(phone);
    for (const [width, scheme] of [[1280, 'dark'], [390, 'light']]) {
      const page = await open(browser, width, scheme);
      await transactionsComeAlive(page);
      await look(page, 'overview');
      await page.context().close();
    }
    await stranger(browser);
    await ends(first);
  } finally {
    await browser.close();
  }
  must(problems.length === 0, problems.join('\n'));
}

main().then(() => console.log('fine'), error => { console.log(`${error.stack}\n${problems.join('\n')}`); process.exit(1); });
