import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { runPause } from '../../infra/ops/pause/run.ts';
import { type Examination, type Plan, startExamination } from './examination.ts';

const OPS = resolve(import.meta.dirname, '../../infra/ops');
const HERE = ['--stage', 'local', '--destination', 'orders'];

async function run(enabled: boolean, { landscape }: Examination, argv: readonly string[] = HERE, signal = never()) {
  const written = { out: '', notes: '' };
  const code = await runPause(enabled, argv, {
    environment: { AWS_ENDPOINT_URL: landscape.management.url },
    stdout: { write: (words) => (written.out += words) },
    stderr: { write: (words) => (written.notes += words) },
    signal,
    wait: async (_ms, waiting) => waiting.throwIfAborted(),
  });
  return { code, ...written };
}

function never(): AbortSignal {
  return new AbortController().signal;
}

function stateOf({ orders }: Examination) {
  return orders.trigger?.polling;
}

describe('npm run pause', () => {
  test('npm run pause disables the mapping, says the drift and how it ends, and the doctor shows it', async () => {
    await using examination = await startExamination();
    const { code, out } = await run(false, examination);
    expect({ code, polling: stateOf(examination) }).toEqual({ code: 0, polling: false });
    expect(out).toContain('orders is paused: token-relay-local-orders takes messages and delivers none');
    expect(out.replaceAll('\n', ' ')).toContain('serverless.yml does not know of it: orders.enabled is true there');
    expect(out).toContain('\nnpm run resume -- --stage local --destination orders\n');
    examination.orders.queue.send({ body: 'waits' });
    const { lines } = await examination.lines();
    const paused = lines.find(({ id }) => id === 'paused');
    expect(paused?.reason).toMatch(/^paused since \d{4}-\d\d-\d\dT\d\d:\d\dZ, 1 waiting; not by serverless.yml/);
  });

  test('npm run pause of a destination that is paused already says so', async () => {
    await using examination = await startExamination();
    await run(false, examination);
    const { code, out } = await run(false, examination);
    expect(code).toBe(0);
    expect(out).toMatch(/^orders is already paused: /);
  });

  test('npm run pause finds an existing queue by the settings, whatever it is called', async () => {
    const queueArn = 'arn:aws:sqs:eu-central-1:123456789012:legacy-orders';
    await using examination = await startExamination({ destination: { settings: { queue: queueArn } } });
    const { sqs, management } = examination.landscape;
    const { trigger } = examination.orders;
    if (trigger === undefined) throw new Error('expected a trigger');
    sqs.createQueue('legacy-orders');
    const functionArn = 'arn:aws:lambda:eu-central-1:123456789012:function:token-relay-local-queue';
    const settings = { batchSize: 10, maximumBatchingWindowSeconds: 0, maximumConcurrency: 2, createdAt: 0 };
    management.functions.addMapping({ uuid: 'legacy', queueArn, functionArn, trigger, ...settings });
    const { code, out } = await run(false, examination);
    expect({ code, polling: trigger.polling }).toEqual({ code: 0, polling: false });
    expect(out).toContain('orders is paused: legacy-orders takes messages');
  });
});

describe('npm run resume', () => {
  test('npm run resume enables the mapping, and what waited is delivered', async () => {
    await using examination = await startExamination();
    await run(false, examination);
    examination.orders.queue.send({ body: '{"order":1}' });
    const { code, out } = await run(true, examination);
    expect({ code, out }).toEqual({
      code: 0,
      out: 'orders is resumed: token-relay-local-orders is polled again\n',
    });
    await examination.landscape.runtimeNode.waitForMessages(1);
    expect((await examination.lines()).lines.filter(({ id }) => id === 'paused')).toEqual([]);
  });

  test('npm run resume says that serverless.yml still says otherwise', async () => {
    const plan: Plan = { destination: { settings: { enabled: false } }, deploy: { polling: false } };
    await using examination = await startExamination(plan);
    const { code, out } = await run(true, examination);
    expect(code).toBe(0);
    expect(out.replaceAll('\n', ' ')).toContain(
      'orders.enabled is false there, so correct it before the next deployment',
    );
  });
});

describe('what cannot be done is said in one line, with its exit code:', () => {
  test.each([
    { what: 'no destination', argv: ['--stage', 'local'], code: 2, notes: /which destination/ },
    { what: 'an unknown option', argv: [...HERE, '--force'], code: 2, notes: /Unknown option '--force'/ },
    { what: 'an empty option', argv: ['--destination', ''], code: 2, notes: /--destination is empty/ },
    {
      what: 'an unknown destination',
      argv: ['--stage', 'local', '--destination', 'order'],
      code: 2,
      notes: /no such destination, did you mean orders\?/,
    },
    { what: 'an unknown stage', argv: ['--stage', 'prod', '--destination', 'orders'], code: 1, notes: /no function/ },
  ])('what cannot be done is one line, with its exit code: $what', async ({ argv, code, notes }) => {
    await using examination = await startExamination();
    const ran = await run(false, examination, argv);
    expect(ran.code).toBe(code);
    expect(ran.notes).toMatch(notes);
    expect(ran.notes).toMatch(/^pause: .*\n$/);
    expect(stateOf(examination)).toBe(true);
  });

  test('a destination without a mapping is one line, with its exit code', async () => {
    await using examination = await startExamination();
    examination.landscape.management.functions.removeMapping(examination.orders.queue.arn);
    const { code, notes } = await run(false, examination);
    expect({ code, notes }).toEqual({
      code: 1,
      notes: 'pause: no event source mapping hands token-relay-local-orders to token-relay-local-queue\n',
    });
  });

  test('a lack of rights is one line, with its exit code', async () => {
    await using examination = await startExamination();
    examination.landscape.management.functions.denyAccess(true);
    const { code, notes } = await run(false, examination);
    expect({ code, notes }).toEqual({
      code: 1,
      notes: 'pause: these credentials may not call lambda:GetFunctionConfiguration\n',
    });
  });

  test('a mapping that Lambda does not disable within a minute is one line, with its exit code', async () => {
    await using examination = await startExamination();
    examination.landscape.management.functions.tell(examination.orders.queue.arn, { State: 'Disabling' });
    const { code, out } = await run(false, examination);
    expect(code).toBe(0);
    expect(out.replaceAll('\n', ' ')).toContain('under way: Lambda has not finished it within a minute');
  });

  test('a run that is broken off is one line, with its exit code', async () => {
    await using examination = await startExamination();
    const { code, notes } = await run(false, examination, HERE, AbortSignal.abort());
    expect({ code, notes }).toEqual({ code: 130, notes: 'pause: broken off; npm run doctor shows how it is now\n' });
  });
});

test.each([['pause/pause.ts', 'pause'], ['pause/pause.ts', 'resume'], ['doctor/doctor.ts']])(
  'the manual of %s %s has 80 columns',
  async (file, ...words) => {
    const child = spawn(process.execPath, [`${OPS}/${file}`, ...words, '--help'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
    expect(code).toBe(0);
    expect(out).toContain('EXIT CODE');
    for (const word of words) expect(out).toMatch(new RegExp(`^npm run ${word} `));
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  },
);
