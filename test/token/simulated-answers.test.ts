/**
 * What a token endpoint may say instead of a token: each has one outcome, in words that name the place and who acts.
 */
import { describe, expect, test } from 'vitest';
import { nginxPage, tomcatPage, unknownRoute } from '../../infra/local/sap/front.ts';
import type { Answer } from '../../infra/local/server/server.ts';
import { createTenant } from './simulated-tenant.ts';

const AT = 'token endpoint https://acme-dev.authentication.example/oauth/token: ';
const OPERATOR_URL = '; the operator must check the token URL in the secret';
const OPERATOR_CLIENT =
  '; the operator must check that the client is registered there and that the secret holds its id and secret';
const SCOPE = '; the operator must check the setting "scope": the client has no such scope there';
const OTHERWISE =
  '; the operator must check what the server wants otherwise: the other profile ("environment" in the secret), or DPoP or a signed assertion, which the relay does not send';
const LATER = '; a later try may help';
const MARK = 'of-nobody-else';

const json = (status: number, body: unknown, type = 'application/json'): Answer => ({
  status,
  headers: { 'Content-Type': type },
  body: JSON.stringify(body),
});
const token = (fields: object) => ({ access_token: MARK, token_type: 'bearer', expires_in: 3600, ...fields });
const page = `<!doctype html><title>Log on</title>${MARK}`;

/** What it says; how the message fares; the words. */
const rows: readonly (readonly [name: string, answer: Answer, kind: 'blocked' | 'failed', words: string])[] = [
  [
    'a login page',
    { status: 200, body: page },
    'blocked',
    `answered 200 with something that is no JSON object${OPERATOR_URL}`,
  ],
  [
    'a page of nginx with 200',
    nginxPage(200, 'OK'),
    'blocked',
    `answered 200 with something that is no JSON object${OPERATOR_URL}`,
  ],
  ['nothing', { status: 200 }, 'blocked', `answered 200 with something that is no JSON object${OPERATOR_URL}`],
  ['204', { status: 204 }, 'blocked', `answered 204${OPERATOR_URL}`],
  ['a list', json(200, [token({})]), 'blocked', `answered 200 with something that is no JSON object${OPERATOR_URL}`],
  [
    'no access_token',
    json(200, { token_type: 'bearer' }),
    'blocked',
    `answered 200 without an access_token${OPERATOR_URL}`,
  ],
  [
    'an empty access_token',
    json(200, token({ access_token: '' })),
    'blocked',
    `answered 200 without an access_token${OPERATOR_URL}`,
  ],
  [
    'token_type mac',
    json(200, token({ token_type: 'mac' })),
    'blocked',
    `gave a token whose token_type is not Bearer${OPERATOR_URL}`,
  ],
  [
    'no token_type',
    json(200, token({ token_type: undefined })),
    'blocked',
    `gave a token whose token_type is not Bearer${OPERATOR_URL}`,
  ],
  [
    'a token with a line break',
    json(200, token({ access_token: `${MARK}\r\nX: y` })),
    'blocked',
    `gave a token that cannot stand in a Bearer header${OPERATOR_URL}`,
  ],
  [
    'a token above 16 KB',
    json(200, token({ access_token: 'x'.repeat(16_385) })),
    'blocked',
    'the token of 16385 bytes is too large for the endpoint: fewer scopes or role collections; the operator must set "scope", or take from the client what it does not need',
  ],
  [
    'a token in 100 KB of JSON',
    json(200, token({ scope: 'x'.repeat(100_000) })),
    'blocked',
    `answered 200 with more than 65536 bytes${OPERATOR_URL}`,
  ],
  [
    'a redirect',
    { status: 302, headers: { Location: 'https://acme-dev.authentication.example/login' } },
    'blocked',
    `answered 302${OPERATOR_URL}`,
  ],
  [
    'a host that nobody mapped',
    unknownRoute('acme-dev.authentication.example'),
    'blocked',
    `answered 404${OPERATOR_URL}`,
  ],
  ['405', tomcatPage(405, 'Method Not Allowed'), 'blocked', `answered 405${OPERATOR_URL}`],
  [
    '400 with a known error',
    json(400, { error: 'invalid_scope', error_description: MARK }),
    'blocked',
    `answered 400 invalid_scope${SCOPE}`,
  ],
  ['400 with an error of its own', json(400, { error: MARK }), 'blocked', `answered 400${OTHERWISE}`],
  ['403 as a page', { status: 403, body: page }, 'blocked', `answered 403${OPERATOR_URL}`],
  [
    '401 as a page',
    { status: 401, body: page },
    'blocked',
    `answered 401${OPERATOR_CLIENT}, or else the token URL in the secret`,
  ],
  ['501', { status: 501, body: page }, 'failed', `answered 501${LATER}`],
];

describe('The token endpoint answers', () => {
  test.each(rows)(
    'a token endpoint that answers %s gets one request, nothing is sent, and the error says who acts',
    async (_, answer, kind, words) => {
      const tenant = createTenant();
      tenant.authorizationServer.failTokenRequests(answer, { times: 9 });
      const attempts = await tenant.invoke({ messages: 3 });
      for (const { outcome, calls } of attempts) {
        expect([outcome.kind, outcome.executed, calls]).toEqual([kind, 'no', 0]);
        expect(outcome).toHaveProperty('reason', AT + words);
        expect(JSON.stringify(outcome)).not.toContain(MARK);
      }
      expect(tenant.counts()).toMatchObject({ tokenRequests: [answer.status], calls: [] });
    },
  );

  test.each(['text/html', 'text/plain', 'application/octet-stream'])(
    'a token as %s is used all the same',
    async (type) => {
      const tenant = createTenant();
      const { answer } = tenant.toAuthorizationServer;
      tenant.toAuthorizationServer.answer = async (request) => {
        const answered = await answer(request);
        return { ...answered, headers: { ...answered.headers, 'Content-Type': type } };
      };
      expect((await tenant.invoke())[0]).toMatchObject({ outcome: { kind: 'delivered' }, calls: 1 });
    },
  );

  test('a page of an endpoint that failed for good is not quoted in the error', async () => {
    const tenant = createTenant();
    tenant.authorizationServer.failTokenRequests({ status: 503, body: page }, { times: 9 });
    const [attempt] = await tenant.invoke();
    expect(attempt?.outcome).toMatchObject({ kind: 'failed', status: 503, reason: `${AT}answered 503${LATER}` });
  });
});
