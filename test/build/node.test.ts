import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const LAUNCHER = resolve(import.meta.dirname, '../../infra/node.cjs');
const run = (launcher: string, ...before: string[]) =>
  spawnSync(
    process.execPath,
    [...before, launcher, '-p', '"Node " + process.versions.node + " " + process.argv.length'],
    {
      encoding: 'utf8',
    },
  );

test('scripts run with Node 24, whatever Node started them', () => {
  expect(run(LAUNCHER).stdout).toMatch(/^Node 24\./);
});

test('the exit code of a script is the launcher’s own', () => {
  expect(spawnSync(process.execPath, [LAUNCHER, '-e', 'process.exit(7)']).status).toBe(7);
});

test('a Node that is too old, with none brought along, gets one line that says what to do', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'token-relay-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'infra'));
  await copyFile(LAUNCHER, join(folder, 'infra/node.cjs'));
  await writeFile(
    join(folder, 'old.cjs'),
    'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.11.0" } });',
  );

  const { status, stderr, stdout } = run(join(folder, 'infra/node.cjs'), '-r', join(folder, 'old.cjs'));

  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr.trim().split('\n')).toEqual([
    expect.stringMatching(/^token-relay needs Node 24, this is Node 20\.11\.0\./),
  ]);
});
