/**
 * Token endpoints that answer with something that is no token: the error says where and what, nothing is sent.
 */
import { describe, expect, test } from 'vitest';
import { nginxPage } from '../../../infra/local/sap/front.ts';
import type { Answer } from '../../../infra/local/server/server.ts';
import { setStage } from '../stage.ts';

const PLAN = { name: 'orders', flow: { csrfProtected: false } } as const;

const json = (body: object): Answer => ({
  status: 200,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});

describe('A token endpoint that answers', () => {
  test.each<[string, Answer, RegExp]>([
    ['nothing', { status: 200 }, /: answered 200 with something that is no JSON object; the operator must check/],
    ['a page', nginxPage(200, 'OK'), /: answered 200 with something that is no JSON object; the operator must check/],
    [
      'no access_token',
      json({ token_type: 'bearer' }),
      /: answered 200 without an access_token; the operator must check/,
    ],
    [
      'another type of token',
      json({ access_token: 'a', token_type: 'mac' }),
      /: gave a token whose token_type is not Bearer; the operator must check/,
    ],
    [
      'a token above 16 KB',
      json({ access_token: 'x'.repeat(16_385), token_type: 'bearer' }),
      /: the token of 16385 bytes is too large for the endpoint: fewer scopes or role collections; the operator must set/,
    ],
    [
      'more than it may',
      json({ access_token: 'x', token_type: 'bearer', scope: 'x'.repeat(1_000_000) }),
      /: answered 200 with more than 65536 bytes; the operator must check/,
    ],
    ['404', nginxPage(404, 'Not Found'), /: answered 404; the operator must check the token URL in the secret/],
    ['403', nginxPage(403, 'Forbidden'), /: answered 403; the operator must check the token URL in the secret/],
  ])('a token endpoint that answers %s blocks ten messages with one request and no call', async (_, answer, reason) => {
    const stage = await setStage({ plans: [PLAN] });
    stage.authorizationServer.failTokenRequests(answer, { times: 9 });
    const ids = stage.sendMany(10);

    const [invocation] = await stage.poll();

    expect([...(invocation?.kept ?? [])].sort()).toEqual(ids);
    expect(stage.outcomes()).toEqual({ [`blocked ${answer.status} no 0`]: 10 });
    for (const attempt of stage.attempts) expect(attempt.reason).toMatch(/^token endpoint http:/);
    for (const attempt of stage.attempts) expect(attempt.reason).toMatch(reason);
    expect(stage.tally()).toEqual({
      tokenRequests: [answer.status],
      secretReads: { 'cpi/orders': 1 },
      calls: {},
      flowRuns: 0,
      left: 10,
      dead: 0,
    });
  });

  test.each(['reset-before', 'reset-after', 'half-answer'] as const)(
    'a token endpoint that breaks a connection once (%s) is asked again, and everything is delivered',
    async (fault) => {
      const stage = await setStage({ plans: [PLAN] });
      stage.authorizationServer.server.fail({ fault, when: ({ path }) => path.endsWith('/token') });
      const ids = stage.sendMany(10);

      await stage.poll();

      expect(stage.arrivals().sort()).toEqual(ids);
      expect(stage.outcomes()).toEqual({ 'delivered 200 yes 1': 10 });
      // What was handled before the connection broke counts at the server, too.
      const handled = fault === 'reset-before' ? 1 : 2;
      expect(stage.tally()).toMatchObject({
        tokenRequests: Array(handled).fill(200),
        secretReads: { 'cpi/orders': 1 },
      });
    },
  );
});

test('a token that is too large for the endpoint keeps ten messages, and is named as the cause', async () => {
  const stage = await setStage({ plans: [PLAN] });
  stage.authorizationServer.failTokenRequests(
    json({ access_token: 'x'.repeat(8_193), token_type: 'bearer', expires_in: 3_600 }),
  );
  const ids = stage.sendMany(10);

  const [invocation] = await stage.poll();

  expect([...(invocation?.kept ?? [])].sort()).toEqual(ids);
  for (const { outcome, status, reason } of stage.attempts) {
    expect([outcome, status]).toEqual(['blocked', 400]);
    expect(reason).toContain('the token of 8193 bytes is too large for the endpoint: fewer scopes or role collections');
  }
  expect(stage.tally()).toMatchObject({ tokenRequests: [200], flowRuns: 0, left: 10, dead: 0 });
});

describe('What UAA refuses is told as its cause', () => {
  test.each<[string, Record<string, string>, RegExp]>([
    [
      'a scope that the client has not',
      { scope: 'orders.write' },
      /: answered 400 invalid_scope; the operator must check the setting "scope"/,
    ],
    ['a scope that opens no flow', { scope: 'uaa.resource' }, /^the endpoint answered 403: .* must assign the role/],
  ])('a refusal of UAA is reported with its cause: %s', async (_, settings, reason) => {
    const stage = await setStage({ plans: [{ ...PLAN, settings }] });
    const ids = stage.sendMany(10);
    const [invocation] = await stage.poll();
    expect([...(invocation?.kept ?? [])].sort()).toEqual(ids);
    for (const attempt of stage.attempts) {
      expect(attempt.outcome).toBe('blocked');
      expect(attempt.reason).toMatch(reason);
    }
    expect(stage.tally()).toMatchObject({ flowRuns: 0, left: 10, dead: 0 });
  });

  test('a token URL with a wrong path is reported as that, though UAA speaks of a CSRF token', async () => {
    const stage = await setStage({
      plans: [PLAN],
      before: ({ account, runtimeNode, secretsManager }, [orders]) => {
        const key = JSON.stringify(account.serviceKey(orders?.clientId ?? '', runtimeNode.url));
        secretsManager.put('cpi/orders', key.replace('/oauth/token', '/oauth/tokn'));
      },
    });
    stage.sendMany(10);
    await stage.poll();
    expect(stage.outcomes()).toEqual({ 'blocked 403 no 0': 10 });
    expect(stage.attempts[0]?.reason).toMatch(
      /\/oauth\/tokn: answered 403; the operator must check the token URL in the secret$/,
    );
    expect(stage.tally()).toMatchObject({ tokenRequests: [], calls: {}, left: 10 });
  });
});
