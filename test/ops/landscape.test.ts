/**
 * The operator's tools by their commands, as a person types them, on a landscape that `npm start` has started, with its own
 * destinations or with the user's: by stage `local` alone, without a variable. What a tool prints to be copied is run.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createService } from '../deploy/packaging/service.ts';
import { start, UP } from '../local/started.ts';

vi.setConfig({ testTimeout: 180_000 });

const PROJECT = resolve(import.meta.dirname, '../..');

/** In a shell, without a variable of AWS. */
async function run(command: string, cwd: string): Promise<{ readonly code: number; readonly out: string }> {
  const { PATH, HOME } = process.env;
  const shell = promisify(execFile)('sh', ['-c', command.replace('npm run', 'npm run --silent')], {
    cwd,
    env: { PATH, HOME },
  });
  return shell.then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      out: error.stdout + error.stderr,
    }),
  );
}

const OWN = {
  orders: { secret: 'cpi/orders', path: '/http/orders' },
  invoices: { secret: 'cpi/invoices', path: '/http/invoices', fifo: true },
};

test.each([
  { way: 'with its story', port: 16_010, options: [], destination: 'orders', queue: 'token-relay-local-orders' },
  {
    way: 'with settings of another stage and region',
    port: 16_210,
    options: ['--config', 'serverless.yml', '--stage', 'prod', '--region', 'eu-west-1'],
    destination: 'invoices',
    queue: 'token-relay-local-invoices.fifo',
  },
])('every tool finds a landscape that was started $way by --stage local, and its lines can be copied', async (how) => {
  const { port, options, destination, queue } = how;
  const service = options.length === 0 ? undefined : await createService({ destinations: OWN });
  onTestFinished(() => service?.remove());
  const folder = service?.folder ?? PROJECT;
  const journals = await mkdtemp(join(tmpdir(), 'token-relay-journal-'));
  onTestFinished(() => rm(journals, { recursive: true }));
  const started = start([...options, '--port', String(port)], folder);
  await started.until(UP, 120_000);
  const where = `--stage local --port ${port}`;

  expect(started.lines.map((line) => line.trim())).toContain(`npm run doctor -- ${where}`);
  expect(await run(`npm run doctor -- ${where}`, folder)).toMatchObject({ code: 0 });

  const sent = await run(`npm run send -- ${where} --destination ${destination} --id healthy`, folder);
  expect(sent).toEqual({ code: 0, out: `sent to ${queue}: message healthy\n` });
  await started.until(new RegExp(`  ${destination}  healthy  delivered`));

  await fetch(`http://127.0.0.1:${port}/faults/refuse-payload`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ destination }),
  });
  await run(`npm run send -- ${where} --destination ${destination} --id refused`, folder);
  await started.until(new RegExp(`  ${destination}  refused  dead letter`));
  const found = await run(`npm run doctor -- ${where} --destination ${destination}`, folder);
  expect(found).toMatchObject({ code: 1, out: expect.stringContaining('for sender: see') });
  const [list = '', show = '', ...others] = found.out.match(/npm run replay .*$/gm) ?? [];
  expect(others).toEqual([]);
  expect(await run(list, folder)).toMatchObject({ code: 0, out: expect.stringContaining('listed 1, selected 1') });
  expect(await run(show, folder)).toMatchObject({ code: 0, out: expect.stringMatching(/^status {10}422$/m) });
  const replayed = await run(`${list} --send --journal ${join(journals, 'journal.jsonl')}`, folder);
  expect(replayed).toMatchObject({ code: 0, out: expect.stringContaining('sent 1, deleted 1, failed 0') });
  await started.until(new RegExp(`  ${destination}  refused  delivered`));

  const paused = await run(`npm run pause -- ${where} --destination ${destination}`, folder);
  expect(paused).toMatchObject({ code: 0, out: expect.stringContaining(`${queue} takes messages`) });
  const [resume = ''] = paused.out.match(/^npm run resume .*$/gm) ?? [];
  expect(await run(resume, folder)).toMatchObject({ code: 0, out: expect.stringContaining(`${queue} is polled`) });
  expect(await run(`npm run doctor -- ${where}`, folder)).toMatchObject({ code: 0 });
});

test.each(['doctor', 'pause', 'resume', 'replay', 'send'])(
  'npm run %s asks whether npm start runs where no landscape is, and how its port is named',
  async (tool) => {
    // Nobody listens on port 4190 + 8900, whatever landscape runs on this machine.
    const { out, code } = await run(`npm run ${tool} -- --stage local --port 13000 --destination orders`, PROJECT);
    expect(out.replace(/\s+/g, ' ')).toContain('ECONNREFUSED');
    expect(out.replace(/\s+/g, ' ')).toContain('is npm start running?');
    expect(code).toBe(tool === 'doctor' ? 3 : 1);
  },
);
