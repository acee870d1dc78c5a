/** `--help` of every script: whoever does not know a command may ask it. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test, vi } from 'vitest';

vi.setConfig({ testTimeout: 60_000 });

const PROJECT = resolve(import.meta.dirname, '../..');
const { scripts } = JSON.parse(readFileSync(resolve(PROJECT, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};
/** Their words are those of vitest, which is run after a build, of Stryker and of the framework. */
const FOREIGN = ['test', 'mutate', 'deploy'];

test.each(Object.keys(scripts).filter((name) => !FOREIGN.includes(name)))(
  'npm run %s -- --help says how it is called, and does nothing else',
  async (name) => {
    const { stdout, stderr } = await promisify(execFile)('npm', ['run', '--silent', name, '--', '--help'], {
      cwd: PROJECT,
    });
    expect(stdout).toMatch(new RegExp(`npm (run )?${name}\\b`));
    expect(stdout.split('\n').length).toBeGreaterThan(3);
    expect(stderr).toBe('');
  },
);

test.each(['mutate', 'deploy'])('npm run %s -- --help has the tool’s own words', async (name) => {
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', name, '--', '--help'], { cwd: PROJECT });
  expect(stdout).toMatch(/[Uu]sage|Deploy a service/);
});
