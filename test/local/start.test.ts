/**
 * `npm start` as whoever types it sees it: one screen, always the same ports, and an end that leaves nothing behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { START_MANUAL } from '../../infra/local/command/manual.ts';
import { runningOf, signalGroup, start, UP } from './started.ts';

vi.setConfig({ testTimeout: 120_000 });

const PROJECT = resolve(import.meta.dirname, '../..');
/** npm's own: a blank line, the name, the command, a blank line. And the one of the cursor. */
const NPM_LINES = 4;
const ROWS = 24;
const ESCAPE = String.fromCodePoint(0x1b);

/** A process that was killed takes a moment to be gone. */
function nothingLeft(child: ChildProcess): Promise<void> {
  return vi.waitFor(() => expect(runningOf(child)).toEqual([]), 2_000);
}

describe('The story of npm start', () => {
  test('ends on one screen of 80 columns and 24 rows, with the next step and then the link last', async () => {
    const started = start(['--port', '15410']);
    const link = await started.until(UP);
    const { lines } = started;
    expect(lines.length + NPM_LINES + 1).toBeLessThanOrEqual(ROWS);
    for (const line of lines) expect([...line].length, line).toBeLessThanOrEqual(80);
    expect(lines.filter((line) => line.startsWith(' ✓ '))).toHaveLength(6);
    expect(lines).toContain('✓ 29 of 29 messages delivered, counted at the runtime node by id and SHA-256');
    expect(lines.at(-2)).toBe('Connect your own flow:  npm start -- --config serverless.yml');
    expect(lines.at(-1)).toBe(link);
    expect(link).toContain('http://127.0.0.1:15410');
    expect(lines.join('')).not.toContain(ESCAPE);
  });

  test('of a cut-over is told by --story cutover, on one screen of 80 columns, each message on one side', async () => {
    const started = start(['--once', '--story', 'cutover', '--port', '15810']);
    expect(await started.ended).toBe(0);
    const { lines } = started;
    expect(lines.length + NPM_LINES + 1).toBeLessThanOrEqual(ROWS);
    for (const line of lines) expect([...line].length, line).toBeLessThanOrEqual(80);
    expect(lines.filter((line) => line.startsWith(' ✓ '))).toHaveLength(8);
    expect(lines.at(-2)).toBe('✓ 41 of 41 messages delivered, counted at both runtime nodes by id and SHA-256');
    expect(lines.at(-1)).toBe('  0 of them on both sides; 0 lost');
  });

  test('in a terminal has colours, and with NO_COLOR none', async () => {
    // Of util-linux: a terminal of its own for the command.
    const inTerminal = async (env: Record<string, string>) => {
      const child = spawn('script', ['-qec', 'npm start --silent -- --once --port 15510', '/dev/null'], {
        cwd: PROJECT,
        env: { PATH: process.env.PATH, HOME: process.env.HOME, TERM: 'xterm', ...env },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      return text(child.stdout);
    };
    expect(await inTerminal({})).toContain(`${ESCAPE}[32m✓${ESCAPE}[39m`);
    const plain = await inTerminal({ NO_COLOR: '1' });
    expect(plain).toContain('29 of 29 messages delivered');
    expect(plain).not.toContain(ESCAPE);
  });

  test('has other ports where one is taken, and says so', async () => {
    const server = createServer().listen(15_622, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const started = start(['--port', '15610']);
    expect(await started.until(UP)).toContain('http://127.0.0.1:15710');
    expect(started.lines).toContain('Port 15622 is taken: the landscape has those from 15710 on.');
  });
});

test('Two landscapes that start at once on the same ports have blocks of their own', async () => {
  const both = [start(['--port', '16510']), start(['--port', '16510'])];
  const links = await Promise.all(both.map((started) => started.until(UP)));
  expect(new Set(links).size).toBe(2);
  expect(both.map((started) => started.errors())).toEqual(['', '']);
});

describe('The end of npm start', () => {
  test.each([
    ['SIGINT', 'while it stays up', UP],
    ['SIGTERM', 'while it stays up', UP],
    ['SIGHUP', 'while it stays up', UP],
    ['SIGINT', 'while it builds', /^token-relay on a local landscape/],
    ['SIGTERM', 'in the middle of the story', / 1 {2}Ten orders/],
  ] as const)(
    'by %s to its group %s comes in silence, within two seconds, with nothing left running',
    async (signal, _, when) => {
      const started = start(['--port', '15710']);
      await started.until(when);
      const before = Date.now();
      signalGroup(started.child, signal);
      await started.ended;
      expect(Date.now() - before).toBeLessThan(2_000);
      expect(started.lines.at(-1)).not.toMatch(/error|Error/);
      expect(started.errors()).toBe('');
      await nothingLeft(started.child);
    },
  );

  test('comes when nobody reads what it writes any more, in silence, with nothing left running', async () => {
    // The shell leads a group of its own, with npm and the landscape in it.
    const child = spawn('sh', ['-c', 'npm start -- --port 15810 | head -1'], {
      cwd: PROJECT,
      env: { PATH: process.env.PATH, HOME: process.env.HOME },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    onTestFinished(() => signalGroup(child, 'SIGKILL'));
    const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    expect(out).toBe('\n');
    expect(errors).toBe('');
    await nothingLeft(child);
  });

  test('ends the packaging of --config, too, and leaves no folder of it behind', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'token-relay-start-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const started = start(['--config', 'serverless.yml', '--port', '15910'], PROJECT, { TMPDIR: folder });
    await started.until(/^token-relay on a local landscape/);
    await vi.waitFor(async () => expect(await readdir(folder)).not.toEqual([]), 10_000);
    signalGroup(started.child, 'SIGTERM');
    await started.ended;
    expect(started.errors()).toBe('');
    await nothingLeft(started.child);
    expect((await readdir(folder)).filter((name) => name.startsWith('token-relay-local-'))).toEqual([]);
  });

  test('takes away what it wrote below dist/local, with the secrets in it', async () => {
    const started = start(['--port', '16410']);
    await started.until(UP);
    const folder = join(PROJECT, 'dist/local/16410');
    expect(await readdir(folder)).toContain('webhook.secret');
    signalGroup(started.child, 'SIGINT');
    await started.ended;
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
  });
});

describe('A mistake in the command', () => {
  test.each([
    [['--prot', '4100'], "start: Unknown option '--prot'; see npm start -- --help"],
    [
      ['serverless.yml'],
      "start: Unexpected argument 'serverless.yml'; options stand behind --: npm start -- --config serverless.yml",
    ],
    [['--port', '80'], 'start: --port: expected a number from 1024 to 65436'],
    [['--stage', 'prod'], 'start: --stage goes with --config alone; see npm start -- --help'],
    [
      ['--once', '--config', 'serverless.yml'],
      'start: --once is for the story: it ends after it; leave it out with --config',
    ],
  ])('%j is one line and exit code 2', async (options, line) => {
    const started = start(options);
    expect(await started.ended).toBe(2);
    expect(started.errors().trim()).toBe(line);
    expect(started.lines).toEqual([]);
  });
});

test('Options that npm has taken for its own are told, with the command that was meant', async () => {
  const child = spawn('npm', ['start', '--silent', '--once'], {
    cwd: PROJECT,
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect({ out, code }).toEqual({ out: '', code: 2 });
  expect(errors).toContain('start: npm has taken --once for its own; options stand behind --: npm start -- --config');
});

test('The manual of npm start has 80 columns', () => {
  for (const line of START_MANUAL.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
});
