/** Client ids and secrets as SAP makes them and as people choose them arrive as they are, on both environments. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCredentials } from '../../functions/token/credentials.ts';
import { tokenRequest } from '../../functions/token/token-endpoint.ts';
import { readTokenRequest } from '../../infra/local/sap/authorization-server/token-request.ts';
import { createSimulatedTime } from '../doubles/time.ts';
import { createLink, simulatedSend } from './simulated.ts';
import { createTenant } from './simulated-tenant.ts';

const ENVIRONMENTS = ['neo', 'cf'] as const;
const PATHS = { neo: '/oauth2/api/v1/token', cf: '/oauth/token' } as const;

/** Whatever can stand in JSON: half of a surrogate pair is no character. */
const anyText = fc.string({
  unit: fc.oneof(fc.constantFrom(...'+% :$!|=&?#"\\;/'), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })),
  minLength: 1,
  maxLength: 60,
});
const clientId = anyText.filter((text) => !text.includes(':'));

describe.each(ENVIRONMENTS)('A token is to be had (%s)', (environment) => {
  test.each([
    ['as SAP makes it', 'b1cf5d3c-7e24-4f0c-9b2a-2c7a1f3f2c11$Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE='],
    ['with + and %', 'a+b%c%2Bd%'],
    ['with a space at both ends', ' a b '],
    ['with : $ ! | =', ':a:$b!c|d==:'],
    ['with & ? # ; /', 'a&client_id=x?y#z;u/v'],
    ['with quotes and backslashes', '"a\\n\\"b\''],
    ['with umlauts', 'pässwörd-é'],
    ['with characters beyond the first plane', '🔑秘密'],
    ['with a line break', 'a\r\nb'],
    ['of 4,000 characters', 'x+%'.repeat(1_334)],
  ])('a client secret %s gets a token', async (_, clientSecret) => {
    const tenant = createTenant({ environment, clientSecret });
    expect((await tenant.invoke())[0]).toMatchObject({ outcome: { kind: 'delivered' }, calls: 1 });
    expect(tenant.counts().tokenRequests).toEqual([200]);
  });
});

describe.each(ENVIRONMENTS)('Whatever stands in a secret arrives at the token endpoint (%s)', (environment) => {
  test('client id and secret arrive at the token endpoint byte for byte, whatever characters they have', async () => {
    await fc.assert(
      fc.asyncProperty(clientId, anyText, async (id, clientSecret) => {
        const text = JSON.stringify({ clientId: id, clientSecret, tokenUrl: `https://a.example${PATHS[environment]}` });
        const credentials = readCredentials({ text, versionId: 'v1' }, 'cpi/orders');
        let arrived: unknown;
        const link = createLink((request) => {
          arrived = readTokenRequest(environment, request);
          return { status: 200 };
        });
        const time = createSimulatedTime(0);
        const send = simulatedSend({ 'https://a.example': link }, time);
        const request = tokenRequest(credentials, { tokenFormat: 'jwt', maxLifetimeMs: 1 });
        await time.run(send({ ...request, timeoutMs: 1_000 }));
        expect(arrived).toMatchObject({
          credentials: { clientId: id, clientSecret },
          grantType: 'client_credentials',
          format: 'jwt',
        });
      }),
      { numRuns: 500 },
    );
  });
});

test('a client id with a colon is refused before a token is requested: Basic could not carry it', async () => {
  const tenant = createTenant();
  tenant.store({ clientId: 'a:b', clientSecret: 'c', tokenUrl: 'https://acme-dev.authentication.example/oauth/token' });
  const [attempt] = await tenant.invoke();
  expect(attempt?.outcome).toMatchObject({ kind: 'blocked', code: 'SECRET_MALFORMED' });
  expect(tenant.counts().tokenRequests).toEqual([]);
});
