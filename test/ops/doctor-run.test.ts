import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { RUNBOOK } from '../../infra/ops/doctor/findings.ts';
import { ALARM, type Examination, type Plan, startExamination } from './examination.ts';

const COMMAND = resolve(import.meta.dirname, '../../infra/ops/doctor/doctor.ts');
const LETTER = { reason: 'the flow refused it', outcome: 'rejected', status: 400, destination: 'orders' };

function resultsOf(lines: Awaited<ReturnType<Examination['lines']>>['lines']) {
  return Object.fromEntries(lines.map(({ id, result }) => [id, result]));
}

describe('what depends on a failure is not checked, what does not is checked on:', () => {
  test('without credentials no token and no endpoint are checked, but queue, mapping and alarms are', async () => {
    await using examination = await startExamination({ destination: { settings: { secret: 'cpi/nowhere' } } });
    const { lines } = await examination.lines();
    expect(resultsOf(lines)).toEqual({
      function: 'ok',
      settings: 'ok',
      queue: 'ok',
      'dead-letter-queue': 'ok',
      mapping: 'ok',
      'secret-missing': 'error',
      token: 'not-checked',
      endpoint: 'not-checked',
      alarms: 'ok',
    });
    expect(lines.find(({ id }) => id === 'token')?.reason).toBe('not checked: there are no credentials');
  });

  test('without a queue no mapping is checked, but the whole way to SAP is', async () => {
    await using examination = await startExamination();
    examination.landscape.sqs.deleteQueue(examination.orders.queue.name);
    const { lines } = await examination.lines();
    expect(resultsOf(lines)).toMatchObject({
      'queue-missing': 'error',
      mapping: 'not-checked',
      secret: 'ok',
      token: 'ok',
      access: 'ok',
    });
  });

  test('a message is not sent where the endpoint cannot be reached', async () => {
    await using examination = await startExamination();
    await examination.landscape.authorizationServer.server.stop();
    const { lines } = await examination.lines(['--send', 'order.json']);
    expect(resultsOf(lines)).toMatchObject({ message: 'not-checked', endpoint: 'not-checked' });
  });

  test('an endpoint that answers OPTIONS to strangers says nothing of token and role', async () => {
    await using examination = await startExamination();
    const allowed = { status: 200, headers: { Allow: 'GET,POST,OPTIONS' } };
    const when = ({ method }: { method: string }) => method === 'OPTIONS';
    examination.landscape.runtimeNode.server.fail({ fault: allowed, times: 2, when });
    const { code, lines } = await examination.lines();
    expect(resultsOf(lines)).toMatchObject({ access: 'not-checked' });
    expect(code).toBe(0);
  });
});

describe('exit code 3: what could not be looked at is said, and nothing was found', () => {
  test.each<{ what: string; break: (examination: Examination) => unknown; reason: string }>([
    {
      what: 'no right to read the secret',
      break: ({ landscape }) => landscape.secretsManager.denyAccess('cpi/orders', true),
      reason: '"cpi/orders": these credentials may not call secretsmanager:GetSecretValue',
    },
    {
      what: 'no right to read the function',
      break: ({ landscape }) => landscape.management.functions.denyAccess(true),
      reason: 'these credentials may not call lambda:GetFunctionConfiguration',
    },
    {
      what: 'AWS does not answer',
      break: ({ landscape }) => landscape.management.server.stop(),
      reason:
        'lambda:GetFunctionConfiguration failed (ECONNREFUSED): is npm start running?; ' +
        'if its page is not at port 4100, add --port with that of its page',
    },
    {
      what: 'the queue may not be seen',
      break: ({ landscape, orders }) => landscape.sqs.denyAccess(orders.queue.name, true),
      reason: 'token-relay-local-orders: these credentials may not call sqs:GetQueueAttributes',
    },
  ])(
    'exit code 3 says that something could not be checked, and nothing was found: $what',
    async ({ break: broken, reason }) => {
      await using examination = await startExamination();
      await broken(examination);
      const { code, lines } = await examination.lines();
      expect(lines.filter(({ result }) => result === 'not-checked').map((line) => line.reason)).toContain(reason);
      expect(lines.filter(({ result }) => result === 'error' || result === 'warning')).toEqual([]);
      expect(code).toBe(3);
    },
  );

  test('exit code 3 is that of settings in a file of the zip, with no package here', async () => {
    await using examination = await startExamination({ deploy: { DESTINATIONS: '@destinations.json' } });
    const { code, lines } = await examination.lines();
    expect(lines.find(({ id }) => id === 'settings')?.reason).toContain(
      'make them anew, npm run package -- --stage local --region eu-central-1',
    );
    expect(code).toBe(3);
  });
});

test('settings that are a file in the zip are read from the package that was made here', async () => {
  await using examination = await startExamination({ deploy: { DESTINATIONS: '@destinations.json' } });
  const folder = await mkdtemp(join(tmpdir(), 'token-relay-doctor-'));
  const custom = { destinations: { orders: { secret: 'cpi/orders', path: '/http/orders' } } };
  const provider = { stage: 'local', region: 'eu-central-1', runtime: 'nodejs24.x' };
  await mkdir(join(folder, '.serverless'));
  await writeFile(
    join(folder, '.serverless/serverless-state.json'),
    JSON.stringify({ service: { service: 'token-relay', provider, custom } }),
  );
  const { code, out } = await command(examination, ['--json'], { cwd: folder });
  await rm(folder, { recursive: true });
  expect(resultsOf(JSON.parse(out).findings)).toMatchObject({ settings: 'ok', queue: 'ok', access: 'ok' });
  expect(code).toBe(0);
});

describe('exit code 2: a mistake in the command is told in one line:', () => {
  test.each([
    { argv: ['--verbose'], notes: "Unknown option '--verbose'" },
    { argv: ['prod'], notes: "Unexpected argument 'prod'" },
    { argv: ['--service', ''], notes: '--service is empty' },
    { argv: ['--json', '--ticket'], notes: '--json and --ticket exclude each other' },
    { argv: ['--destination', 'order'], notes: 'stage local has no such destination, did you mean orders?' },
    { argv: ['--destination', 'zzz'], notes: 'stage local has no such destination, there are orders' },
  ])('exit code 2 is that of a mistake in the command, in one line: $argv', async ({ argv, notes }) => {
    await using examination = await startExamination();
    const ran = await examination.run(argv);
    expect(ran).toEqual({ code: 2, out: '', notes: expect.stringMatching(/^doctor: .*\n$/) });
    expect(ran.notes).toContain(notes);
  });

  test('exit code 2 is that of a file that cannot be read', async () => {
    await using examination = await startExamination();
    const missing = Object.assign(new Error('no such file'), { code: 'ENOENT' });
    const { code, notes } = await examination.run(['--send', 'order.json'], {
      readFile: () => Promise.reject(missing),
    });
    expect({ code, notes }).toEqual({
      code: 2,
      notes: 'doctor: --send order.json: the file cannot be read (ENOENT)\n',
    });
  });

  test.each([['--ticket'], ['--send', 'order.json']])(
    'exit code 2 is that of %s of several destinations',
    async (...argv) => {
      await using examination = await startExamination({ also: ['stock'] });
      const { code, notes } = await examination.run(argv);
      expect(code).toBe(2);
      expect(notes).toContain('is for one destination: --destination, one of orders, stock');
      expect(examination.landscape.runtimeNode.messages).toEqual([]);
    },
  );
});

describe('several destinations', () => {
  test('several destinations stand below each other, and what is of all comes first', async () => {
    await using examination = await startExamination({ also: ['stock'] });
    const { code, out } = await examination.run();
    expect(code).toBe(1);
    expect(out.match(/^\w+$/gm)).toEqual(['orders', 'stock']);
    expect(out.indexOf('token-relay-local-queue is active')).toBeLessThan(out.indexOf('\norders\n'));
    expect(out).toContain('no alarm begins with token-relay-local-stock-');
  });

  test('several destinations can be narrowed to one by --destination', async () => {
    await using examination = await startExamination({ also: ['stock'] });
    const { lines } = await examination.lines(['--destination', 'orders']);
    expect(new Set(lines.map(({ destination }) => destination))).toEqual(new Set([undefined, 'orders']));
  });
});

test('--json has success, and of each finding id, group, result, actor, reason and anchor', async () => {
  await using examination = await startExamination();
  examination.landscape.runtimeNode.undeploy('orders');
  const { out } = await examination.run(['--json']);
  const { success, findings } = JSON.parse(out);
  expect(success).toBe(false);
  expect(findings.find(({ result }: { result: string }) => result === 'error')).toEqual({
    id: 'flow-missing',
    group: 'endpoint',
    result: 'error',
    actor: 'flow-developer',
    reason: '/http/orders answers 404: no flow is deployed at this address; capitals count',
    anchor: `${RUNBOOK}#flow-missing`,
    destination: 'orders',
  });
});

test('a finding is printed with its sign, its reason, who must act and where the runbook says more', async () => {
  await using examination = await startExamination();
  examination.landscape.runtimeNode.undeploy('orders');
  const { out } = await examination.run();
  expect(out).toContain(`  endpoint
    √ 127.0.0.1:${examination.landscape.runtimeNode.server.port} is reached, without TLS, on loopback
    × /http/orders answers 404: no flow is deployed at this address; capitals
      count
      for flow-developer: see infra/ops/runbook.md#flow-missing
    · not checked: the endpoint answers 404
`);
  expect(out).toMatch(/^1 error, 0 warnings, \d+ fine, \d+ not checked$/m);
});

test('no message is sent, and no flow runs, unless --send says so', async () => {
  await using examination = await startExamination();
  await examination.run();
  expect(examination.landscape.runtimeNode.requests.map(({ method, flowRan }) => ({ method, flowRan }))).toEqual([
    { method: 'OPTIONS', flowRan: false },
    { method: 'OPTIONS', flowRan: false },
  ]);
  expect((await examination.run(['--send', 'order.json'])).code).toBe(0);
  const [message, ...others] = examination.landscape.runtimeNode.messages;
  expect(others).toEqual([]);
  expect(message?.messageId).toMatch(/^doctor-/);
  expect(message?.body.toString()).toBe('{"order":1}');
});

describe('--ticket', () => {
  const plan: Plan = { destination: { flow: { answer: () => 'exception' } } };

  test('--ticket has what SAP asks for: component, tenant, endpoint, times, MPL ids, and what was tried', async () => {
    await using examination = await startExamination(plan);
    const { landscape, orders } = examination;
    const mplId = 'AGpyvUXKUZJ-xCKXdYXps-l8FDTq';
    const stringValue = JSON.stringify({
      ...LETTER,
      outcome: 'failed',
      mplId,
      messageId: '4711',
      deadAt: '2026-01-15T03:00:00.000Z',
    });
    orders.deadLetterQueue.send({ body: 'payload', attributes: { deadLetter: { dataType: 'String', stringValue } } });
    const { out, code } = await examination.run(['--ticket', '--send', 'order.json'], {
      now: () => Date.parse('2026-01-15T03:30:00Z'),
    });
    expect(code).toBe(1);
    const [sent] = landscape.runtimeNode.messages;
    expect(out).toContain('Component:     LOD-HCI-PI-OPS\n');
    expect(out).toContain(`Tenant:        127.0.0.1:${landscape.runtimeNode.server.port}\n`);
    expect(out).toContain(`Endpoint:      POST ${landscape.runtimeNode.url}/http/orders\n`);
    expect(out).toContain('Checked at:    2026-01-15T03:30:00.000Z\n');
    expect(out).toContain(`  ${sent?.mplId}  sent by the doctor\n    ${sent?.messageId}\n`);
    expect(out).toContain(`  ${mplId}  2026-01-15T03:00:00.000Z  400\n    4711\n`);
    expect(out).toContain('  FAILED  message: ');
    expect(out).toContain('  fine    endpoint: /http/orders is reached, token and role are accepted');
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    for (const value of examination.confidential) expect(out.includes(value), 'a secret is told').toBe(false);
  });

  test('--ticket is for the component of OAuth where Cloud Foundry gives no token', async () => {
    await using examination = await startExamination();
    examination.orders.rotateSecret({ store: false });
    const { out } = await examination.run(['--ticket']);
    expect(out).toContain('Component:     BC-CP-CF-SEC-IAM\nSubject:       token-refused: ');
  });

  test('--ticket for a refused client says what to check first, and leaves out what is for the sender', async () => {
    await using examination = await startExamination();
    examination.orders.rotateSecret({ store: false });
    for (const outcome of ['rejected', 'blocked']) {
      const stringValue = JSON.stringify({ ...LETTER, outcome, messageId: `was-${outcome}`, status: 422 });
      const deadLetter = { dataType: 'String', stringValue };
      examination.orders.deadLetterQueue.send({ body: 'payload', attributes: { deadLetter } });
    }
    const { out } = await examination.run(['--ticket']);
    const words = out.replace(/\s+/g, ' ');
    expect(words).toMatch(
      /^Before you send this, check first that the secret in Secrets Manager is the client's current /,
    );
    expect(words).toContain('FAILED token: ');
    expect(out).toContain('    was-blocked\n');
    expect(out).not.toContain('was-rejected');
  });

  test('--ticket of what is not for the sender leaves out that dead letters are', async () => {
    await using examination = await startExamination();
    examination.orders.rotateSecret({ store: false });
    const deadLetter = { dataType: 'String', stringValue: JSON.stringify({ ...LETTER, messageId: '4711' }) };
    examination.orders.deadLetterQueue.send({ body: 'payload', attributes: { deadLetter } });
    expect((await examination.run([])).out).toMatch(/dlq holds 1; .*for sender: see /s);
    const { out } = await examination.run(['--ticket']);
    expect(out).toContain('  FAILED  token: ');
    expect(out).not.toContain('  FAILED  queue: ');
    expect(out).toContain('MPL ids, with time (UTC) and message id:\n  none known here\n');
  });

  test('--ticket of what the sender did wrong is none: it says so, and what to give to the sender', async () => {
    await using examination = await startExamination({ alarms: [{ ...ALARM, actions: [] }] });
    const { orders } = examination;
    const stringValue = JSON.stringify({ ...LETTER, messageId: '4711', deadAt: '2026-01-15T03:00:00.000Z' });
    orders.deadLetterQueue.send({
      body: 'payload of the letter',
      attributes: { deadLetter: { dataType: 'String', stringValue } },
    });
    const { out, code } = await examination.run(['--ticket']);
    expect(code).toBe(1);
    expect(out).toMatch(/^No incident: this is no matter for SAP\./);
    expect(out).toContain('Give this to whoever sends to orders:\n');
    expect(out.replace(/\s+/g, ' ')).toContain('was rejected: the flow refused it');
    expect(out).toContain('  4711\n    2026-01-15T03:00:00.000Z  400\n');
    expect(out).toContain('\n  npm run replay -- --stage local --destination orders --show 4711\n');
    expect(out).not.toContain('Component:');
    for (const value of examination.confidential) expect(out.includes(value), 'a secret is told').toBe(false);
  });

  test('--ticket with a message that the flow refuses says which one', async () => {
    await using examination = await startExamination({ destination: { flow: { answer: () => ({ status: 422 }) } } });
    const { out } = await examination.run(['--ticket', '--send', 'order.json']);
    expect(out).toMatch(/^No incident: /);
    expect(out).toMatch(/^ {2}doctor-\S+, sent by the doctor$/m);
  });

  test('--ticket leaves letters where they are', async () => {
    await using examination = await startExamination();
    examination.orders.deadLetterQueue.send({ body: 'letter' });
    await examination.run(['--ticket']);
    expect(examination.orders.deadLetterQueue.messages.map(({ state }) => state)).toEqual(['visible']);
  });
});

describe('broken off', () => {
  test('a run that is broken off before it began ends with 130, in one line', async () => {
    await using examination = await startExamination();
    const ran = await examination.run([], { signal: AbortSignal.abort() });
    expect(ran).toEqual({ code: 130, out: '', notes: 'doctor: broken off\n' });
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'a run that is broken off by %s while the endpoint hangs ends with 130',
    async (name) => {
      await using examination = await startExamination();
      const { server } = examination.landscape.runtimeNode;
      server.fail({ fault: 'hang' });
      const ran = command(examination, [], { killedBy: name });
      expect(await ran).toEqual({ code: 130, out: '', notes: 'doctor: broken off\n' });
    },
  );
});

test('a message of --send that is broken off while the flow works on it ends with 130', async () => {
  await using examination = await startExamination();
  const { server } = examination.landscape.runtimeNode;
  server.fail({ fault: 'hang', when: ({ method }) => method === 'POST' });
  const file = new URL(import.meta.url).pathname;
  const ran = command(examination, ['--send', file], { killedBy: 'SIGINT', requests: 3 });
  expect(await ran).toEqual({ code: 130, out: '', notes: 'doctor: broken off\n' });
});

/** The real command; `killedBy` comes once the runtime node has so many requests. */
async function command(
  { landscape }: Examination,
  argv: readonly string[],
  { cwd, killedBy, requests = 1 }: { cwd?: string; killedBy?: NodeJS.Signals; requests?: number } = {},
) {
  const child = spawn(process.execPath, [COMMAND, '--stage', 'local', ...argv], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { PATH: process.env.PATH, AWS_ENDPOINT_URL: landscape.management.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  if (killedBy !== undefined) {
    await landscape.runtimeNode.waitForRequests(requests, { timeoutMs: 30_000 });
    child.kill(killedBy);
  }
  const [out, notes, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { code, out, notes };
}
