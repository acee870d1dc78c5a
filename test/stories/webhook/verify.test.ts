/**
 * Every way in, at the built function with Secrets Manager and an issuer behind it: senders as they are, and strangers.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DestinationPlan } from '../../../infra/local/landscape.ts';
import { startIssuer } from '../../webhook/issuer.ts';
import { SENDERS } from '../../webhook/senders.ts';
import { BODY, MARK, REQUESTS, SEED, strangers } from '../../webhook/strangers.ts';
import { type Stage, setStage } from '../stage.ts';

const named = SENDERS.map((sender, index) => ({ ...sender, path: `by-${index}-${sender.name.replaceAll(' ', '-')}` }));
/** Lambda has 4 KB for all variables: five webhooks fit. */
const PARTS = [named.slice(0, 4), named.slice(4, 8), named.slice(8)] as const;

const strangersReply = async (response: Response) => {
  const own = /^(date|apigw-requestid)$/;
  return [response.status, [...response.headers].filter(([name]) => !own.test(name)), await response.text()];
};

function setDoors(senders: (typeof PARTS)[number]): Promise<Stage> {
  const plans: DestinationPlan[] = senders.map(({ path, verify, entries }) => ({
    name: path,
    webhook: { username: 'nobody', password: 'not-a-password', verify, secret: [...entries] },
  }));
  return setStage({ plans });
}

const post = (stage: Stage, path: string, headers: Record<string, string>, body = BODY) =>
  stage.post(`/webhooks/${path}`, { user: null, headers, body });

describe('Every kind of sender', () => {
  test.each(PARTS)(
    'every kind of sender gets through to its flow, by either secret, and nobody else does',
    async (...senders) => {
      const stage = await setDoors(senders);
      for (const { path, entries, sign, messageId } of senders) {
        for (const entry of entries) {
          const response = await post(stage, path, await sign(BODY, entry, Date.now()));
          expect([path, response.status]).toEqual([path, 200]);
        }
        const ids = stage.attempts
          .filter(({ destination }) => destination === path)
          .map((attempt) => attempt.messageId);
        expect(ids).toHaveLength(2);
        if (messageId !== undefined) expect(ids).toEqual([messageId, messageId]);
      }
      const unknown = await strangersReply(await post(stage, 'unknown', {}));
      const { flowRuns } = stage.tally();
      for (const { path, entries, sign } of senders) {
        const wrong = Object.fromEntries(Object.keys(entries[0]).map((field) => [field, 'whsec_d3Jvbmc=']));
        for (const headers of [await sign(BODY, wrong, Date.now()), {}])
          expect(await strangersReply(await post(stage, path, headers)), path).toEqual(unknown);
      }
      expect(stage.tally()).toMatchObject({ flowRuns });
    },
  );

  test('a flow does not see the header with the sender’s key, whatever is forwarded', async () => {
    const key = 'the first of the keys';
    const webhook = { verify: 'api-key', secret: 'webhooks/orders', mode: 'direct', forwardHeaders: ['x-*'] };
    const plan = { username: '', password: '', secret: { key } };
    const stage = await setStage({
      plans: [
        { name: 'orders', webhook: plan, settings: { webhook }, flow: { allowedHeaders: ['X-Order', 'X-Api-Key'] } },
      ],
    });
    expect((await post(stage, 'orders', { 'X-Api-Key': key, 'X-Order': '4711' })).status).toBe(200);
    const [message] = stage.runtimeNode.messages;
    expect(message?.headers).toMatchObject({ 'x-order': '4711' });
    expect(JSON.stringify(message?.headers)).not.toContain(key);
  });
});

describe('A token', () => {
  test('a token of the issuer lets in, another’s does not, and while the issuer is away it is 503', async () => {
    const issuer = await startIssuer();
    const verify = { type: 'jwt', issuer: issuer.url, audience: 'orders', scope: 'orders.write' };
    const stage = await setStage({ plans: [{ name: 'orders', webhook: { username: '', password: '', verify } }] });
    const exp = Math.floor(Date.now() / 1000) + 600;
    const by = async (claims: object) => {
      const token = await issuer.token({ iat: undefined, exp, scope: 'orders.write', ...claims });
      return post(stage, 'orders', { Authorization: `Bearer ${token}` });
    };

    issuer.server.fail({ fault: { status: 500 } });
    const away = await by({});
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '30']);
    expect(stage.told('webhook.unavailable')).toMatchObject([{ reason: expect.stringContaining('status 500') }]);
    // The pause of 30 s is this environment's.
    await stage.deployed.webhookFunction.killEnvironments();

    expect((await by({})).status).toBe(200);
    expect((await by({ scope: 'orders.read' })).status).toBe(401);
    expect((await by({ exp: exp - 1_200 })).status).toBe(401);
    expect(issuer.asked).toEqual(['/.well-known/openid-configuration', '/keys']);
    expect(stage.tally()).toMatchObject({ flowRuns: 1, secretReads: { 'cpi/orders': 1 } });
  });
});

describe('Signed for AWS', () => {
  test('the identity in the gateway’s event lets in, and the sender’s own claim to it does not', async () => {
    const stage = await setStage({
      plans: [{ name: 'orders', webhook: { username: '', password: '', verify: 'iam' } }],
    });
    const event = (authorizer?: object) => ({
      version: '2.0',
      rawPath: '/webhooks/orders',
      headers: { 'content-type': 'application/json', authorization: 'AWS4-HMAC-SHA256 Credential=AKIA' },
      requestContext: { http: { method: 'POST' }, domainName: 'id.execute-api.eu-central-1.amazonaws.com', authorizer },
      body: BODY,
      isBase64Encoded: false,
    });
    const { invoke } = stage.deployed.webhookFunction;
    const iam = { accessKey: 'AKIA', userArn: 'arn:aws:iam::123456789012:user/erp' };
    expect(await invoke(event({ iam }))).toMatchObject({ ok: true, payload: { statusCode: 200 } });
    expect(await invoke(event())).toMatchObject({ ok: true, payload: { statusCode: 401 } });
    expect(stage.tally()).toMatchObject({ flowRuns: 1, secretReads: { 'cpi/orders': 1 } });
  });
});

test('anyone gets through without verification', async () => {
  const stage = await setStage({
    plans: [{ name: 'orders', webhook: { username: '', password: '', verify: 'none' } }],
  });
  expect((await post(stage, 'orders', {})).status).toBe(200);
});

test('SAP Event Mesh asks whether it may send, gets the permission, and sends', async () => {
  const webhook = { verify: 'basic', secret: 'webhooks/orders', mode: 'direct', allowedOrigins: ['em.example.com'] };
  const stage = await setStage({
    plans: [{ name: 'orders', webhook: { username: 'mesh', password: 'a-password' }, settings: { webhook } }],
  });
  const ask = (path: string, origin: string) =>
    stage.post(path, { method: 'OPTIONS', user: null, headers: { 'WebHook-Request-Origin': origin } });
  const told = await ask('/webhooks/orders', 'em.example.com');
  expect([told.status, await told.text()]).toEqual([200, '']);
  const headers = ['webhook-allowed-origin', 'webhook-allowed-rate', 'allow'].map((name) => told.headers.get(name));
  expect(headers).toEqual(['em.example.com', '*', 'POST']);

  const other = await strangersReply(await ask('/webhooks/orders', 'other.example.com'));
  expect(other[0]).toBe(405);
  expect(await strangersReply(await ask('/webhooks/unknown', 'em.example.com'))).toEqual(other);
  expect(stage.tally().secretReads).toEqual({});

  const user = { username: 'mesh', password: 'a-password' };
  expect((await stage.post('/webhooks/orders', { user, headers: { 'ce-id': 'event-1' } })).status).toBe(200);
  expect(stage.attempts).toMatchObject([{ messageId: 'event-1' }]);
});

test('strangers, whatever they send, get a small reply, reach no flow, and leave nothing in the log', async () => {
  const senders = named.filter(({ name }) =>
    ['basic', 'api-key', 'github', 'stripe', 'standard-webhooks'].includes(name),
  );
  const stage = await setDoors(senders);
  const { invoke } = stage.deployed.webhookFunction;
  const events = strangers(senders.map(({ path }) => path));
  const statuses: number[] = [];
  await fc.assert(
    fc.asyncProperty(events, async (event) => {
      const result = await invoke(event);
      expect(result).toMatchObject({ ok: true });
      const { statusCode, ...reply } = (result.ok ? result.payload : {}) as { statusCode: number };
      expect([400, 401, 404, 405]).toContain(statusCode);
      statuses.push(statusCode);
      expect(Buffer.byteLength(JSON.stringify(reply))).toBeLessThanOrEqual(4_096);
      expect(JSON.stringify(reply)).not.toContain(MARK);
    }),
    { numRuns: REQUESTS, seed: SEED },
  );
  expect(statuses.filter((status) => status === 401).length, 'who were checked').toBeGreaterThan(REQUESTS / 10);
  expect(stage.tally()).toMatchObject({ tokenRequests: [], calls: {}, flowRuns: 0, left: 0 });
  expect(stage.attempts).toEqual([]);
  expect(stage.output.join('\n')).not.toContain(MARK);
}, 900_000);
