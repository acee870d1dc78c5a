import { expect, test } from 'vitest';
import { chromiumSource, openBrowser } from './browser.ts';

test.skipIf(chromiumSource() === undefined)('a real Chromium opens on this machine', async () => {
  const browser = await openBrowser();
  try {
    const page = await browser.newPage();
    await page.setContent('<h1>Good</h1>');
    expect(await page.locator('h1').boundingBox()).toMatchObject({ height: expect.any(Number) });
  } finally {
    await browser.close();
  }
});
