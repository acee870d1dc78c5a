/**
 * `npm start -- --config`: the user's own destinations, each sent to by the line that is printed for it, as it is
 * printed.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createService, type Service } from '../deploy/packaging/service.ts';
import { type Started, start, UP } from './started.ts';

// A landscape, a packaging and dozens of commands, each a process of its own.
vi.setConfig({ testTimeout: 300_000 });

const key = (bytes: number) => randomBytes(bytes).toString('base64');
const HMAC = { type: 'hmac', header: 'X-Signature' };
const JWT = { type: 'jwt', issuer: 'https://idp.example.com/tenant', audience: 'orders', scope: 'orders.write' };
/** Every kind of `verify`, with its options; and a secret in its form that is another. */
const KINDS: readonly (readonly [name: string, verify: unknown, wrong: string])[] = [
  ['basic', 'basic', 'legacy:other'],
  ['api-key', 'api-key', 'other'],
  ['api-key-in-its-header', { type: 'api-key', header: 'X-Legacy-Key' }, 'other'],
  ['hmac', HMAC, 'other'],
  [
    'hmac-of-slack',
    { ...HMAC, prefix: 'v0=', timestampHeader: 'X-Time', signedContent: 'v0:{timestamp}:{body}' },
    'other',
  ],
  ['hmac-in-base64', { ...HMAC, algorithm: 'sha512', encoding: 'base64', prefix: 'HMAC ' }, 'other'],
  ['standard-webhooks', 'standard-webhooks', `whsec_${key(32)}`],
  ['jwt', JWT, 'e30.e30.AAAA'],
  ['jwt-by-its-keys', { ...JWT, jwksUri: 'https://idp.example.com/keys' }, 'e30.e30.AAAA'],
  ['iam', 'iam', JSON.stringify({ AccessKeyId: 'AKIAIOSFODNN7EXAMPLE', SecretAccessKey: 'other' })],
  ['github', 'github', 'other'],
  ['shopify', 'shopify', 'other'],
  ['stripe', 'stripe', 'other'],
  ['sap-open-connectors', 'sap-open-connectors', 'other'],
];

/** Of the webhook's secret only what goes by one has the name. */
function webhookOf(name: string, verify: unknown, fields: object = {}) {
  const { type } = typeof verify === 'string' ? { type: verify } : (verify as { type: string });
  return { verify, ...(['jwt', 'iam', 'none'].includes(type) ? {} : { secret: `webhooks/${name}` }), ...fields };
}

async function startWith(
  destinations: object,
  port: number,
  options: readonly string[] = [],
): Promise<Started & { service: Service }> {
  const service = await createService({ destinations });
  onTestFinished(() => service.remove());
  const started = start(['--config', 'serverless.yml', '--port', String(port), ...options], service.folder);
  await Promise.race([started.until(UP, 120_000), started.ended]);
  expect(
    started.lines.some((line) => UP.test(line)),
    started.errors(),
  ).toBe(true);
  return { ...started, service };
}

interface Ran {
  readonly code: number;
  readonly out: string;
}

/** In a shell, in the service's folder, as a person would paste it. */
async function run(command: string, { folder }: Service, env: Record<string, string> = {}): Promise<Ran> {
  const { PATH, HOME } = process.env;
  const options = { cwd: folder, env: { PATH, HOME, ...env } };
  const shell = promisify(execFile)('sh', ['-c', command.trim()], options);
  return shell.then(
    ({ stdout }) => ({ code: 0, out: stdout }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      out: error.stdout + error.stderr,
    }),
  );
}

/** The lines that were printed for a destination, without its heading. */
function linesOf(name: string, { lines }: Started): string[] {
  const from = lines.findIndex((line) => line.startsWith(`${name}: `));
  const to = lines.indexOf('', from);
  return lines.slice(from + 1, to);
}

const commandsOf = (name: string, started: Started) =>
  linesOf(name, started).filter((line) => line.includes('npm run'));
/** A long id is told by its beginning. */
const delivered = (name: string, id: string) =>
  new RegExp(`  ${name}  ${id.length > 8 ? `${id.slice(0, 7)}…` : id}  delivered`);
const idIn = (out: string) => /message (\S+)|"messageId":"([^"]+)"/.exec(out)?.slice(1).find(Boolean) ?? '';

test('every kind of verify is let in by the printed line and delivered, and with a wrong secret refused with the reason', async () => {
  const destinations = Object.fromEntries(
    KINDS.map(([name, verify]) => [
      name,
      { secret: 'cpi/all', path: `/http/${name}`, webhook: webhookOf(name, verify) },
    ]),
  );
  const open = { secret: 'cpi/all', path: '/http/open', webhook: { verify: 'none' } };
  const started = await startWith({ ...destinations, open }, 14_710);
  for (const line of started.lines) expect([...line].length, line).toBeLessThanOrEqual(80);

  for (const [name, , wrong] of [...KINDS, ['open', 'none', ''] as const]) {
    const [toQueue = '', toWebhook = ''] = commandsOf(name, started);
    const queued = await run(toQueue, started.service);
    expect(queued, toQueue).toMatchObject({ code: 0 });
    expect(idIn(queued.out), queued.out).not.toBe('');
    await started.until(delivered(name, idIn(queued.out)));

    const letIn = await run(toWebhook, started.service);
    expect(letIn.out, toWebhook).toMatch(/^202 Accepted$/m);
    await started.until(delivered(name, idIn(letIn.out)));
    if (wrong === '') continue;

    const { code, out } = await run(`${toWebhook} --secret env:WRONG`, started.service, { WRONG: wrong });
    expect(code, `${name}: ${out}`).toBe(1);
    expect(out).toMatch(name === 'iam' ? /^403 /m : /^401 /m);
    const reason =
      name === 'iam' ? /gateway {2}403: not signed by a known access key/ : new RegExp(`  ${name}  refused  \\S+: \\w`);
    await started.until(reason);
  }
});

describe('The user’s settings', () => {
  test('are there with every sender adapter, in both modes, in order, by a path from the message and a shared secret', async () => {
    const basic = (name: string, fields: object = {}) => webhookOf(name, 'basic', fields);
    const started = await startWith(
      {
        orders: { secret: 'cpi/orders', path: '/http/orders', webhook: basic('shared', { mode: 'direct' }) },
        again: { secret: 'cpi/orders', path: '/http/orders', webhook: basic('shared', { mode: 'direct-else-queued' }) },
        proxied: { secret: 'cpi/orders', url: 'https://api.example.com/v1/orders?client=4711' },
        wild: { secret: 'cpi/orders', path: '/http/wild', pathFrom: 'X-Rest', csrf: true, webhook: basic('wild') },
        invoices: {
          secret: 'cpi/invoices',
          path: '/cxf/invoices',
          adapter: 'soap',
          webhook: basic('i', { mode: 'direct' }),
        },
        newer: { secret: 'cpi/invoices', path: '/cxf/newer', adapter: 'soap', soapVersion: '1.2' },
        bare: { secret: 'cpi/invoices', path: '/cxf/bare', adapter: 'soap', soapWrap: true },
        credits: {
          secret: 'cpi/invoices',
          path: '/cxf/credits',
          adapter: 'soap-rm',
          fifo: true,
          qualityOfService: 'ExactlyOnceInOrder',
          queueIdFromGroup: true,
          webhook: basic('credits'),
        },
        materials: {
          secret: 'cpi/materials',
          path: '/gw/odata/SAP/M;v=1/Materials',
          adapter: 'odata',
          webhook: basic('m'),
        },
        changes: {
          secret: 'cpi/materials',
          path: "/gw/odata/SAP/M;v=1/Materials('1')",
          adapter: 'odata',
          method: 'MERGE',
        },
        batches: { secret: 'cpi/materials', path: '/gw/odata/SAP/M;v=1/$batch', adapter: 'odata' },
        entities: { secret: 'cpi/materials', path: '/gw/odata/SAP/E;v=1', adapter: 'odata', pathFrom: 'X-Entity' },
        opaque: { secret: 'cpi/opaque', path: '/http/opaque', tokenFormat: 'opaque', scope: 'uaa.none' },
        legacy: {
          secret: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:cpi/legacy-a1B2c3',
          path: '/http/legacy',
          queue: 'arn:aws:sqs:eu-west-1:999999999999:legacy-in',
          payloadBucket: 'legacy-payloads',
          batchSize: 100,
          webhook: basic('legacy'),
        },
        lists: {
          secret: 'cpi/orders',
          path: '/http/lists',
          method: 'PUT',
          webhook: {
            verify: ['basic', JWT, { type: 'stripe', secret: 'webhooks/stripe' }],
            secret: 'webhooks/lists',
            methods: ['PUT'],
            contentTypes: ['text/*'],
          },
        },
        nowhere: { secret: 'cpi/orders', path: '/somewhere' },
      },
      14_910,
      ['--region', 'eu-west-1'],
    );
    const { service } = started;
    const names = started.lines.flatMap((line) => /^([\w-]+): \w/.exec(line)?.slice(1) ?? []);
    expect(names).toHaveLength(16);
    for (const name of names.filter((one) => one !== 'nowhere')) {
      const commands = commandsOf(name, started);
      for (const command of commands) {
        const { code, out } = await run(command, service);
        expect(code, `${command}\n${out}\n${started.lines.slice(-5).join('\n')}`).toBe(0);
        if (idIn(out) !== '') await started.until(delivered(name, idIn(out)));
        else expect(out).toMatch(/^200 |received/m);
      }
    }
    expect(commandsOf('lists', started)).toHaveLength(4);
    const bare = await readFile(join(service.folder, 'dist/local/14910/bare.payload.xml'), 'utf8');
    expect(bare).toMatch(/^<\?xml .*\?>\n<i:Invoice /);
    expect(linesOf('again', started)[0]).toBe('  (shares the flow of orders)');
    expect(linesOf('proxied', started)[0]).toBe('  (https://api.example.com/v1/orders is here /http/v1/orders)');
    expect(linesOf('nowhere', started)[0]).toBe('  (nothing of adapter https listens at /somewhere: 404, as at SAP)');
    expect(linesOf('opaque', started)[0]).toBe('  (scope is not asked for: the landscape knows no scopes but its own)');
    expect((await run(commandsOf('orders', started)[1] ?? '', service)).out).toContain('"flow":"orders"');
    expect((await run(commandsOf('invoices', started)[1] ?? '', service)).out).toContain(
      '<received xmlns="urn:token-relay:local"',
    );

    // Beyond what a queue takes it goes by the bucket.
    await writeFile(join(service.folder, 'large.bin'), randomBytes(1_500_000));
    const large = await run(`${commandsOf('legacy', started)[1]} --data @large.bin`, service);
    await started.until(delivered('legacy', idIn(large.out)));

    const [first = ''] = commandsOf('orders', started);
    const folder = join(service.folder, /@(.*)\/orders\.queue$/.exec(first)?.[1] ?? '');
    const files = (await readdir(folder)).filter((file) => file !== 'functions');
    const modes = await Promise.all(files.map(async (file) => (await stat(join(folder, file))).mode & 0o777));
    expect(new Set(modes)).toEqual(new Set([0o600]));
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const serviceKey = JSON.parse(await readFile(join(folder, 'orders.secret.json'), 'utf8'));
    expect(Object.keys(serviceKey.oauth).sort()).toEqual(['clientid', 'clientsecret', 'createdate', 'tokenurl', 'url']);
    const secrets = await Promise.all(
      files.filter((file) => file.includes('.secret')).map((file) => readFile(join(folder, file), 'utf8')),
    );
    for (const text of secrets.flatMap((content) => content.match(/[\w-]{40,}/g) ?? [])) {
      expect(started.lines.join('\n')).not.toContain(text);
    }
  });

  test('with a client certificate are called over TLS with it', async () => {
    const certificate = { secret: 'cpi/orders', path: '/http/orders', authentication: 'certificate' };
    const started = await startWith(
      { orders: certificate, tokens: { ...certificate, authentication: 'oauth', path: '/http/t' } },
      15_110,
    );
    for (const name of ['orders', 'tokens']) {
      const { out } = await run(commandsOf(name, started)[0] ?? '', started.service);
      await started.until(delivered(name, idIn(out)));
    }
    const [, file = ''] = /@(.*)\.queue$/.exec(commandsOf('orders', started)[0] ?? '') ?? [];
    const serviceKey = JSON.parse(await readFile(join(started.service.folder, `${file}.secret.json`), 'utf8'));
    expect(Object.keys(serviceKey.oauth)).toEqual(expect.arrayContaining(['certificate', 'key', 'clientid', 'url']));
    expect(serviceKey.oauth).not.toHaveProperty('clientsecret');
  });

  test('with a cut-over are delivered on both sides here, and no address of theirs is called', async () => {
    const url = (host: string, path: string) => `https://${host}.example.invalid/http/${path}`;
    const past = '2026-03-06T20:00:00Z';
    const started = await startWith(
      {
        before: {
          secret: 'cpi/neo',
          url: url('neo', 'before'),
          cutover: { secret: 'cpi/cf', since: '2099-01-01T00:00Z' },
        },
        address: { secret: 'cpi/neo', url: url('neo', 'a'), cutover: { url: url('cf', 'b'), scope: 'x', since: past } },
        tenant: {
          secret: 'cpi/neo',
          url: url('neo', 'orders'),
          cutover: {
            secret: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:cpi/cf-a1B2c3',
            path: '/http/orders',
            since: past,
          },
        },
        client: {
          secret: 'cpi/neo',
          path: '/http/c',
          cutover: { secret: 'cpi/other', url: url('cf', 'c'), since: past },
        },
        same: { secret: 'cpi/neo', url: url('neo', 'same'), cutover: { url: url('cf', 'same'), since: past } },
      },
      15_510,
    );
    for (const name of ['before', 'address', 'tenant', 'client', 'same']) {
      const { out } = await run(commandsOf(name, started)[0] ?? '', started.service);
      await started.until(delivered(name, idIn(out)));
    }
    const notes = (name: string) => linesOf(name, started).filter((line) => line.startsWith('  ('));
    expect(notes('address')).toContain('  (new side, at the same runtime node: /http/b by cpi/neo)');
    expect(notes('tenant')).toEqual([
      '  (new side, at the same runtime node: /http/orders by cpi/cf)',
      '  (new side: shares the flow of tenant)',
    ]);
    expect(notes('same')).toEqual([expect.stringContaining('cutover is left out')]);
    const [, file = ''] = /@(.*)\.queue$/.exec(commandsOf('tenant', started)[0] ?? '') ?? [];
    const newKey = JSON.parse(await readFile(join(started.service.folder, `${file}.cutover.secret.json`), 'utf8'));
    expect(newKey.oauth.url).toMatch(/^http:\/\/127\.0\.0\.1:/);
  });

  test('with a mistake in them are told as npm run package tells it, and nothing is started', async () => {
    const service = await createService({
      destinations: { orders: { secret: 'cpi/orders', path: 'http/orders', fifo: 'yes' } },
    });
    onTestFinished(() => service.remove());
    const { errors } = await service.package();
    const started = start(['--config', 'serverless.yml', '--port', '15310'], service.folder);
    expect(await started.ended).toBe(1);
    expect(started.errors().trim().split('\n')).toEqual(errors);
    expect(errors).toHaveLength(2);
  });
});
