/**
 * How fast the page is, in the Chromium of its tests: from `npm start` to its first paint, and with 10,000 messages on
 * it. `node infra/node.cjs test/local/page/measure.ts`; the bundles must be built.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Page } from 'playwright-core';
import { type LocalDestination, startLandscape } from '../../../infra/local/landscape.ts';
import { startPage } from '../../../infra/local/page/page.ts';
import { createWatch } from '../../../infra/local/page/watch.ts';
import { openBrowser } from './browser.ts';

const MESSAGES = 10_000;

const WATCH_TASKS = `
  globalThis.longest = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
  }).observe({ type: 'longtask' });
`;

/** From a key in the search to the list that is painted. */
const FILTER = `new Promise((resolve) => {
  const search = document.querySelector('#search');
  const begunAt = performance.now();
  search.value = 'orders waiting a7';
  search.dispatchEvent(new Event('input', { bubbles: true }));
  requestAnimationFrame(() => requestAnimationFrame(() => {
    const ms = performance.now() - begunAt;
    search.value = '';
    search.dispatchEvent(new Event('input', { bubbles: true }));
    resolve(ms);
  }));
})`;

const SCROLL = `new Promise((resolve) => {
  let last = performance.now();
  let longest = 0;
  let frames = 0;
  const step = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    scrollBy(0, 120);
    if (++frames < 60) requestAnimationFrame(step);
    else resolve(longest);
  };
  requestAnimationFrame(step);
})`;

const browser = await openBrowser();
try {
  const opened = () => browser.newPage({ viewport: { width: 1280, height: 800 } });
  const firstPaintMs = await measureStart(await opened());
  console.log(`npm start to the page's first paint   ${firstPaintMs} ms`);
  for (const [what, ms] of Object.entries(await measureMany(await opened()))) {
    console.log(`${what.padEnd(36)}  ${Math.round(ms)} ms`);
  }
} finally {
  await browser.close();
}

async function measureStart(page: Page): Promise<number> {
  const begunAt = Date.now();
  const start = spawn('npm', ['start', '--silent', '--', '--port', '5310'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    for await (const line of createInterface(start.stdout)) {
      const [, url] = /^Watch it: +(http:\S+)/.exec(line) ?? [];
      if (url === undefined) continue;
      await page.goto(url);
      await page.locator('#live.on').waitFor();
      const paintedAt = 'performance.timeOrigin + performance.getEntriesByName("first-contentful-paint")[0].startTime';
      return Math.round((await page.evaluate<number>(paintedAt)) - begunAt);
    }
    throw new Error('npm start has ended without telling where the page is');
  } finally {
    process.kill(-(start.pid ?? 0), 'SIGTERM');
    await once(start, 'exit');
  }
}

async function measureMany(page: Page): Promise<Record<string, number>> {
  let destinations: readonly LocalDestination[] = [];
  const watch = createWatch(() => destinations);
  const landscape = await startLandscape({ environment: 'neo', report: watch.report });
  ({ destinations } = landscape);
  const orders = landscape.connect({ name: 'orders' });
  const deployed = await landscape.deploy({ polling: false });
  const { url, stop } = await startPage({ watch, landscape, deployed });
  try {
    await page.goto(url);
    await page.locator('#live.on').waitFor();
    await page.evaluate(WATCH_TASKS);
    await page.locator('input[name="times"]').first().fill(String(MESSAGES));
    const sentAt = performance.now();
    await page.locator('button[data-fault="send-sample"]').click();
    await page.locator('#count-messages', { hasText: '10,000' }).waitFor();
    const shown = performance.now() - sentAt;
    const filtered = await page.evaluate<number>(FILTER);
    const scrolled = await page.evaluate<number>(SCROLL);
    await page.evaluate('longest = 0');
    const deliveredAt = performance.now();
    orders.trigger?.resume();
    await page.locator('[data-sum="delivered"]', { hasText: /^10,000$/ }).waitFor({ timeout: 300_000 });
    const delivered = performance.now() - deliveredAt;
    const longest = await page.evaluate<number>('longest');
    const reopenedAt = performance.now();
    await page.reload();
    await page.locator('#count-messages', { hasText: '10,000' }).waitFor();
    return {
      '10,000 messages sent and shown': shown,
      'to filter them': filtered,
      'longest frame while scrolling': scrolled,
      'all delivered': delivered,
      'longest task of the page meanwhile': longest,
      'to open the page with 10,000': performance.now() - reopenedAt,
    };
  } finally {
    await stop();
    await landscape.stop();
  }
}
