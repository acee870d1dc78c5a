/** Lines that are gathered when their process ends: none is lost with it. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

/** What the process printed, and how it ended. */
function run(how: string) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [`${import.meta.dirname}/log-at-exit.mjs`, how], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  });
  const told = (output: string) => [...output.matchAll(/"message":"([\w-]+)"/g)].map(([, message]) => message);
  return { status, stdout, stderr, told: told(stdout), warned: told(stderr) };
}

test('the log’s lines are written before process.exit ends the process', () => {
  expect(run('exit')).toMatchObject({ status: 3, told: ['told-0'], stderr: '' });
});

test('the log’s lines are written before an uncaught exception ends the process, each on its own stream', () => {
  const { status, told, warned, stderr } = run('throw');
  expect([status, told, warned]).toEqual([1, ['told-0'], ['warned']]);
  expect(stderr).toContain('nobody catches this');
});

test('a line that was written before is not written again at exit', () => {
  expect(run('flushed').told).toEqual(['told-0']);
});

test('the log’s lines at exit are written even if they are more than a pipe takes at once', () => {
  const { stdout, told } = run('large');
  expect(told).toEqual(['told-0']);
  expect(stdout).toMatch(/"text":"ö{60000}"\}\n$/);
});

test('all logs of a process are flushed by one listener: Node warns of no leak', () => {
  const { told, stderr } = run('many');
  expect(told).toEqual(Array.from({ length: 20 }, (_, index) => `told-${index}`));
  expect(stderr).toBe('');
});
