/**
 * `npm run screenshots`: the pictures of the page that the documents show, light and dark, made anew from a landscape
 * on which something is going on. The bundles must be built.
 */
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { type LocalDestination, startLandscape } from '../../../infra/local/landscape.ts';
import { startPage } from '../../../infra/local/page/page.ts';
import { createWatch } from '../../../infra/local/page/watch.ts';
import { prepareStory } from '../../../infra/local/story/stage.ts';
import { openBrowser } from './browser.ts';

const FOLDER = resolve(import.meta.dirname, '../../../infra/local/page/screenshots');
const PICTURES = [
  { name: 'light', width: 1_280, height: 900, colorScheme: 'light' },
  { name: 'dark', width: 1_280, height: 900, colorScheme: 'dark' },
  { name: 'phone', width: 360, height: 780, colorScheme: 'light' },
] as const;

const HELP = `npm run screenshots

Takes the pictures of the landscape's page that the documents show, light, dark
and on a phone, and writes them over the old ones in infra/local/page/screenshots.
The bundles must be built (npm run build). No options.`;

if (parseArgs({ options: { help: { type: 'boolean', short: 'h' } } }).values.help) {
  console.log(HELP);
  process.exit();
}
await mkdir(FOLDER, { recursive: true });
const browser = await openBrowser();
let destinations: readonly LocalDestination[] = [];
const watch = createWatch(() => destinations);
const landscape = await startLandscape({ environment: 'neo', report: watch.report });
({ destinations } = landscape);
prepareStory(landscape);
const deployed = await landscape.deploy({ webhookLogLevel: 'DEBUG' });
const { url, stop } = await startPage({ watch, landscape, deployed });
try {
  await play();
  for (const picture of PICTURES) await take(browser, picture);
} finally {
  await browser.close();
  await stop();
  await landscape.stop();
}

/** Deliveries, a refused payload, a stranger, a rotation that one token request heals, and an outage. */
async function play(): Promise<void> {
  const sums = () => watch.ledger.sums;
  await press('send-sample', { destination: 'orders', times: 6 });
  await until(() => sums().delivered === 6);
  await press('refuse-payload', { destination: 'orders' });
  await press('send-sample', { destination: 'orders', times: 1 });
  await until(() => sums().dead === 1);
  for (const destination of ['invoices', 'credits', 'materials']) await press('send-sample', { destination, times: 1 });
  await until(() => sums().delivered === 9);
  await press('knock', { destination: 'orders' });
  // Each environment that is warm is to have its token from before.
  await press('send-sample', { destination: 'orders', times: 5 });
  await until(() => sums().delivered === 14);
  await press('rotate-signing-key');
  await press('send-sample', { destination: 'orders', times: 5 });
  await until(() => sums().delivered === 19);
  await press('stop-node');
  await press('send-sample', { destination: 'orders', times: 2 });
  await until(() => sums().hidden === 2);
}

async function press(name: string, fields: object = {}): Promise<void> {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(`${url}/faults/${name}`, { method: 'POST', headers, body: JSON.stringify(fields) });
  if (!response.ok) throw new Error(`${name}: ${await response.text()}`);
}

function until(holds: () => boolean): Promise<void> {
  const { promise, resolve: done, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error('what is to be shown has not happened')), 30_000);
  const look = () => {
    if (holds()) done();
  };
  const ignore = watch.onFact(look);
  look();
  return promise.finally(() => {
    clearTimeout(timer);
    ignore();
  });
}

async function take(from: Browser, { name, width, height, colorScheme }: (typeof PICTURES)[number]): Promise<void> {
  const page: Page = await from.newPage({ viewport: { width, height }, colorScheme });
  await page.goto(url);
  const healed = page.locator('.row', { hasText: 'delivered' }).filter({ hasText: 'new' }).first();
  await healed.click();
  await page.locator('.life', { hasText: '→ 401' }).waitFor();
  await page.evaluate('document.activeElement.blur(); scrollTo(0, 0)');
  await page.screenshot({ path: resolve(FOLDER, `${name}.png`) });
  await page.close();
}
