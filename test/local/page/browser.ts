/**
 * A real Chromium for the tests of the landscape's page and for its screenshots: that of the system where there is one,
 * else the one inside the package `@sparticuz/chromium` (x86-64 alone), unpacked once into node_modules/.cache.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { inflate } from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright-core';

const PACKAGE = resolve(import.meta.dirname, '../../../node_modules/@sparticuz/chromium');
const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { version: string };
/** The package's own names /tmp/fonts. A relative folder counts from the file. */
const FONTS = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;
const SYSTEM_NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** Undefined: neither the system has one, nor does the package have one for this processor. */
export function chromiumSource(): 'system' | 'package' | undefined {
  if (systemChromium() !== undefined) return 'system';
  return process.platform === 'linux' && process.arch === 'x64' ? 'package' : undefined;
}

/** Ends with `close`. @throws Error where there is no Chromium, see `chromiumSource` */
export async function openBrowser(): Promise<Browser> {
  const system = systemChromium();
  if (system !== undefined) return chromium.launch({ executablePath: system });
  if (chromiumSource() === undefined)
    throw new Error('no Chromium: install one, its package has none for this machine');
  const folder = await unpackedChromium();
  return chromium.launch({
    executablePath: join(folder, 'chromium'),
    env: {
      ...process.env,
      // Its own NSS and fonts: a machine without a browser rarely has them.
      LD_LIBRARY_PATH: [join(folder, 'al2023/lib'), process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter),
      FONTCONFIG_FILE: join(folder, 'fonts.conf'),
    },
  });
}

function systemChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.flatMap((folder) => SYSTEM_NAMES.map((name) => join(folder, name))).find(existsSync);
}

/** Unpacked beside its place first, then renamed, so that a second process finds all of it or nothing. */
async function unpackedChromium(): Promise<string> {
  const cache = resolve(import.meta.dirname, '../../../node_modules/.cache');
  const folder = join(cache, `chromium-${version}`);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const unpacking = await mkdtemp(`${folder}-`);
  await unpackInto(unpacking);
  try {
    await rename(unpacking, folder);
  } catch (error) {
    await rm(unpacking, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** The package unpacks into the folder for temporary files, whose path it asks for each time. */
async function unpackInto(folder: string): Promise<void> {
  const { TMPDIR } = process.env;
  process.env.TMPDIR = folder;
  try {
    const archives = ['chromium.br', 'fonts.tar.br', 'al2023.tar.br'];
    await Promise.all(archives.map((name) => inflate(join(PACKAGE, 'bin', name))));
    await writeFile(join(folder, 'fonts.conf'), FONTS);
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  }
}
