import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WEBHOOK_USER } from '../../stories/stage.ts';
import { chromiumSource, openBrowser } from './browser.ts';
import { type Opened, openPage } from './opened.ts';

/** No package has a browser for this processor, and the system has none. */
describe.skipIf(chromiumSource() === undefined)('the page in a real Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());

  /** The page, and all that its console and its sums have said since it was opened. */
  async function look(opened: Opened, options: { width?: number; colorScheme?: 'light' | 'dark' } = {}) {
    const { width = 1280, colorScheme = 'light' } = options;
    const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
    onTestFinished(() => page.close());
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.addInitScript({ path: WATCH_SUMS });
    await page.goto(opened.page);
    await page.locator('#live.on').waitFor();
    const press = (name: string) => page.locator(`button[data-fault="${name}"]`).click();
    /** Resolves as soon as the line shows this. */
    const untilSum = (place: string, count: number) =>
      page.locator(`[data-sum="${place}"]`, { hasText: new RegExp(`^${count}$`) }).waitFor();
    const wrongSums = () => page.evaluate<string[]>('wrongSums');
    return { page, complaints, press, untilSum, wrongSums };
  }

  /** Where each button is that breaks or mends something. */
  const places = (page: Page) =>
    page
      .locator('button[data-fault]')
      .evaluateAll((buttons) => buttons.map((button) => button.getBoundingClientRect().y));
  const figure = (page: Page, name: string) => page.locator(`[data-figure="${name}"]`).textContent();

  test('“Rotate signing key”: one token request heals ten messages, and a row tells how', async () => {
    const opened = await openPage();
    const { page, complaints, press, untilSum, wrongSums } = await look(opened);
    const { trigger } = opened.orders;
    await press('send-sample');
    await untilSum('waiting', 10);
    trigger?.resume();
    await untilSum('delivered', 10);
    await trigger?.waitUntilIdle();
    expect([await figure(page, 'tokenRequests'), await figure(page, 'unauthorized')]).toEqual(['1', '0']);
    trigger?.pause();

    await press('send-sample');
    await untilSum('waiting', 10);
    await press('rotate-signing-key');
    await page.locator('#token', { hasText: 'refused' }).waitFor();
    trigger?.resume();
    await untilSum('delivered', 20);
    await page.locator('[data-figure="unauthorized"]', { hasText: /^10$/ }).waitFor();
    expect(await figure(page, 'tokenRequests')).toBe('2');

    await page.locator('.row').first().click();
    const life = page.locator('.life li');
    await life.filter({ hasText: 'Deleted from the queue' }).waitFor();
    const told = await life.allTextContents();
    expect(told.filter((line) => /→ 401/.test(line))).toHaveLength(1);
    expect(told.filter((line) => /New token/.test(line))).toHaveLength(1);
    expect(told.filter((line) => /→ 200 the flow ran/.test(line))).toHaveLength(1);
    expect(told.findIndex((line) => /→ 401/.test(line))).toBeLessThan(told.findIndex((line) => /New token/.test(line)));
    expect([await wrongSums(), complaints]).toEqual([[], []]);
  });

  test('“Stop runtime node”: messages wait and say until when; “Start runtime node”: they arrive', async () => {
    const opened = await openPage({ deploy: { polling: true } });
    const { page, complaints, press, untilSum, wrongSums } = await look(opened);
    await page.locator('button[data-fault="stop-node"]').hover();
    const before = await places(page);
    await press('stop-node');
    await page.locator('#box-node.down').waitFor();
    expect(await places(page)).toEqual(before);
    expect(await page.locator('#active li').allTextContents()).toEqual(['The runtime node is stopped.']);
    await page.locator('input[name="times"]').first().fill('3');
    await press('send-sample');
    await page
      .locator('.row', { hasText: /hidden · failed.*next try at .*ECONNREFUSED/ })
      .nth(2)
      .waitFor();
    await untilSum('waiting', 3);
    expect([await figure(page, 'visible'), await figure(page, 'hidden')]).toEqual(['0', '3']);
    await press('start-node');
    await untilSum('delivered', 3);
    expect(await page.locator('#active li').count()).toBe(0);
    expect([await wrongSums(), complaints]).toEqual([[], []]);
  });

  test('“Mend everything” and “Try hidden now” stay in sight, and what was hidden is tried at once', async () => {
    const opened = await openPage({ deploy: { polling: true } });
    const { page, complaints, press, untilSum, wrongSums } = await look(opened);
    await press('stop-node');
    await page.locator('input[name="times"]').first().fill('60');
    await press('send-sample');
    const why = page.locator('.row .why', { hasText: /next try at .*, in \d/ });
    await why.nth(59).waitFor();
    await page.evaluate('scrollTo(0, document.body.scrollHeight)');
    for (const name of ['heal', 'try-hidden-now']) {
      expect(await page.locator(`button[data-fault="${name}"]`).boundingBox()).toMatchObject({
        y: expect.toSatisfy(isIn(800)),
      });
    }
    await press('heal');
    await page.locator('#done', { hasText: /^\d\d:\d\d:\d\d .*Still hidden: \d+ messages/ }).waitFor();
    await press('try-hidden-now');
    await untilSum('delivered', 60);
    expect([await wrongSums(), complaints]).toEqual([[], []]);
  });

  test('the line adds up for a reader with a message that is lost, one that was replayed and one that was returned', async () => {
    const direct = { name: 'stock', webhook: { ...WEBHOOK_USER, mode: 'direct' as const } };
    const opened = await openPage({ plans: [{ name: 'orders' }, direct] });
    const { page, press, untilSum } = await look(opened);
    opened.send(opened.orders);
    await press('refuse-payload');
    await opened.poll();
    await untilSum('dead', 1);
    await page.locator('#places button', { hasText: 'dead 1' }).click();
    await page.locator('.row').click();
    await page.locator('.life', { hasText: 'the answer named no MPL id, so the relay cannot know' }).waitFor();
    await press('replay-letters');
    await untilSum('waiting', 1);
    await page.locator('#shown', { hasText: '1 of 1 shown' }).waitFor();
    expect(await page.locator('#places button[aria-pressed="true"]').count()).toBe(0);
    await opened.poll();
    await untilSum('delivered', 1);
    await press('stop-node');
    await opened.post('/webhooks/stock');
    await untilSum('returned', 1);
    opened.send(opened.orders);
    opened.orders.queue.purge();
    await untilSum('lost', 1);
    const line = page.locator('#sum');
    const [sent = '', parts = ''] = (await line.innerText()).split('Counted')[0]?.split('=') ?? [];
    const numbers = parts.match(/\d+/g)?.map(Number) ?? [];
    expect(Number(/\d+/.exec(sent))).toBe(numbers.reduce((sum, number) => sum + number, 0));
    expect(parts.match(/\+/g)).toHaveLength(numbers.length - 1);
    expect(await line.innerText()).toContain('Replayed 1: sent again, counted once.');
    const list = await (await fetch(opened.page)).text();
    expect(list).toMatch(
      /sent 3 = delivered 1 \+ waiting 0 \+ in flight 0 \+ dead 0 \+ returned to their callers 1 \+ lost 1\n$/,
    );
  });

  test('a hostile payload, its id and its headers harm nothing: they are text', async () => {
    const opened = await openPage({
      deploy: { polling: true },
      plans: [{ name: 'orders', flow: { answer: () => ({ status: 422, body: EVIL }) } }],
    });
    const { page, complaints, untilSum, wrongSums } = await look(opened);
    const attributes = { contentType: 'text/html', messageId: EVIL, headers: JSON.stringify({ 'X-Note': EVIL }) };
    opened.send(opened.orders, { body: EVIL, attributes });
    opened.send(opened.orders, { body: `${EVIL}${'<b>x</b>'.repeat(126_000)}` });
    const binary = Buffer.from(Array.from({ length: 4_096 }, (_, index) => index % 256));
    opened.send(opened.orders, { body: binary.toString('base64'), attributes: { bodyEncoding: 'base64' } });
    await opened.post(`/webhooks/${encodeURIComponent(EVIL)}`);
    await untilSum('dead', 3);
    for (const index of [2, 1, 0]) {
      await page.locator('.row').nth(index).click();
      await page.locator('.life button', { hasText: 'Show the payload' }).click();
      await page.locator('.life pre').waitFor();
    }
    await page.locator('#search').fill(EVIL);
    await page.locator('#tab-refused').click();
    await page.locator('.refused li').first().waitFor();
    expect(await page.locator('main script, main img[onerror], main b b').count()).toBe(0);
    expect(await page.evaluate('globalThis.harmed')).toBeUndefined();
    expect([await wrongSums(), complaints]).toEqual([[], []]);
    // A browser that is led to the payload itself shows it as text, too.
    const { messages } = await opened.state();
    const evil = messages.find(({ bytes }) => bytes === Buffer.byteLength(EVIL));
    await page.goto(`${opened.page}/payloads/${encodeURIComponent(evil?.id ?? '')}`);
    expect(await page.evaluate('[document.contentType, globalThis.harmed]')).toEqual(['text/plain', undefined]);
  });

  test('is worked by keyboard alone, finds by id and by place, and fits 360 to 1,600 px', async () => {
    const opened = await openPage();
    const ids = opened.sendMany(5);
    const { page, complaints } = await look(opened, { colorScheme: 'dark' });
    await page.keyboard.press('/');
    await page.keyboard.type(ids[3] ?? '');
    await page.locator('#shown', { hasText: '1 of 1 shown' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.locator('.life', { hasText: 'Sent to the queue' }).waitFor();
    await page.keyboard.press('Escape');
    expect(await page.locator('.life').count()).toBe(0);
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Escape');
    await page.locator('#shown', { hasText: '5 of 5 shown' }).waitFor();
    await page.locator('#places button', { hasText: 'waiting 5' }).press('Space');
    await page.locator('#places button[aria-pressed="true"]').waitFor();
    for (const width of [360, 820, 1_080, 1_600]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    }
    expect(complaints).toEqual([]);
  });

  test('marks the status of the token endpoint, and tells long waits in minutes', async () => {
    const opened = await openPage();
    const { page, press } = await look(opened);
    await press('rotate-secret-at-sap');
    opened.send(opened.orders);
    await opened.poll();
    await page.locator('.row', { hasText: /hidden · blocked/ }).waitFor();
    expect(await page.locator('.row .status').textContent()).toBe('token 401');
    await page.locator('#next', { hasText: /^next in \d+ min$/ }).waitFor();
    await page.locator('.row').click();
    await page.locator('.life', { hasText: '0 calls (CSRF fetches not counted)' }).waitFor();
  });

  test('says of one message that was not tried that those before it failed', async () => {
    const opened = await openPage({ plans: [{ name: 'orders', settings: { concurrency: 1 } }] });
    const { page, press } = await look(opened);
    await press('take-role');
    opened.sendMany(8);
    await opened.poll();
    const why = page.locator('.row .why', { hasText: 'not tried: the messages before it failed one after another' });
    await why.nth(2).waitFor();
    await why.first().click();
    await page.locator('.life', { hasText: 'no call was made · not tried: the messages before it failed' }).waitFor();
  });

  test('goes on by itself with a page server that was started anew', async () => {
    const opened = await openPage();
    const { page, untilSum, wrongSums } = await look(opened);
    opened.sendMany(1);
    await untilSum('waiting', 1);
    await opened.restartPage(() => page.locator('#live:not(.on)').waitFor());
    opened.sendMany(2);
    await untilSum('waiting', 3);
    expect(await page.locator('.row').count()).toBe(3);
    expect(await wrongSums()).toEqual([]);
  });
});

/** Whether a button's upper edge is on a screen of this height. */
const isIn = (height: number) => (y: number) => y >= 0 && y < height - 30;

/** In the page: keeps each state of the line that does not add up. */
const WATCH_SUMS = join(import.meta.dirname, 'watch-sums.js');
const EVIL = `<script>harmed = 1</script><img src="x" onerror="harmed = 2"><b onclick="harmed = 3">"'&amp;</b>`;
