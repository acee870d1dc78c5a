/**
 * The request of the client credentials grant, byte for byte: Neo in query and Basic header, Cloud Foundry in a form.
 */
import { describe, expect, test } from 'vitest';
import { type Credentials, readCredentials } from '../../functions/token/credentials.ts';
import { tokenRequest } from '../../functions/token/token-endpoint.ts';
import { flatKey } from './client-certificate.ts';
import { cf, jwtWanted, neo, opaqueWanted } from './clients.ts';

/** Client id, secret, and both as they must stand in a form (WHATWG URL, "application/x-www-form-urlencoded"). */
const characters: readonly (readonly [string, string, string, string])[] = [
  ['orders', 'secret', 'orders', 'secret'],
  ['sb-1!b2|it-rt!b3', '1111$AbC_dEf-012=', 'sb-1%21b2%7Cit-rt%21b3', '1111%24AbC_dEf-012%3D'],
  ['a+b', 'c+d/e==', 'a%2Bb', 'c%2Bd%2Fe%3D%3D'],
  ['100%', '%41%zz', '100%25', '%2541%25zz'],
  ['with space', ' a  b ', 'with+space', '+a++b+'],
  ['a&b=c', '&client_id=other', 'a%26b%3Dc', '%26client_id%3Dother'],
  ['a', 'b:c:', 'a', 'b%3Ac%3A'],
  ['jörg', 'pässwörd€', 'j%C3%B6rg', 'p%C3%A4ssw%C3%B6rd%E2%82%AC'],
  ['a', '\u{1F511}', 'a', '%F0%9F%94%91'],
  ['a~b*c', '\'(x)"\\', 'a%7Eb*c', '%27%28x%29%22%5C'],
];

const withClient = (credentials: Credentials, clientId: string, clientSecret: string) => ({
  ...credentials,
  clientId,
  clientAuthentication: { clientSecret },
});

/** As they are asked for, as they stand in a query or form. */
const scopes = [
  ['it-rt!b1.ESBMessaging.send', 'it-rt%21b1.ESBMessaging.send'],
  ['uaa.resource openid', 'uaa.resource+openid'],
  ['a+b&c=d', 'a%2Bb%26c%3Dd'],
] as const;

describe('On Neo', () => {
  test('a token request on Neo is a POST with its parameters in the query and no body', () => {
    const { method, url, headers, body } = tokenRequest(neo, jwtWanted);
    expect(method).toBe('POST');
    expect(url.href).toBe(`${neo.tokenUrl}?grant_type=client_credentials&token_format=jwt`);
    expect(Object.keys(headers).sort()).toEqual(['Accept', 'Authorization']);
    expect(headers.Accept).toBe('application/json');
    expect(body).toBeUndefined();
  });

  test('a token request on Neo leaves token_format out for an opaque token, for which SAP documents no value', () => {
    expect(tokenRequest(neo, opaqueWanted).url.href).toBe(`${neo.tokenUrl}?grant_type=client_credentials`);
  });

  test.each(scopes)('a token request on Neo asks for the scope %j', (scope, encoded) => {
    const { url } = tokenRequest(neo, { ...opaqueWanted, scope });
    expect(url.href).toBe(`${neo.tokenUrl}?grant_type=client_credentials&scope=${encoded}`);
  });

  test.each([
    ['a parameter of its own', '?tenant=a%20b', '?tenant=a+b&grant_type=client_credentials&token_format=jwt'],
    ['the grant already', '?grant_type=client_credentials', '?grant_type=client_credentials&token_format=jwt'],
    ['another grant', '?grant_type=password', '?grant_type=client_credentials&token_format=jwt'],
  ])('a token request on Neo keeps the query of a token URL with %s', (_, search, expected) => {
    const { url } = tokenRequest({ ...neo, tokenUrl: neo.tokenUrl + search }, jwtWanted);
    expect(url.search).toBe(expected);
  });

  test.each(characters)(
    'a token request on Neo sends client %j with secret %j as they are, in UTF-8',
    (clientId, clientSecret) => {
      const { headers, url } = tokenRequest(withClient(neo, clientId, clientSecret), jwtWanted);
      const [scheme, sent = ''] = (headers.Authorization ?? '').split(' ');
      expect(scheme).toBe('Basic');
      expect(sent).toBe(Buffer.from(`${clientId}:${clientSecret}`, 'utf8').toString('base64'));
      expect(Buffer.from(sent, 'base64').toString('utf8')).toBe(`${clientId}:${clientSecret}`);
      expect([...url.searchParams.keys()]).toEqual(['grant_type', 'token_format']);
    },
  );

  test('a token request on Neo has the very header of RFC 7617, section 2.1', () => {
    const { headers } = tokenRequest(withClient(neo, 'test', '123£'), jwtWanted);
    expect(headers.Authorization).toBe('Basic dGVzdDoxMjPCow==');
  });
});

describe('On Cloud Foundry', () => {
  test('a token request on Cloud Foundry is a POST of a form, with nothing in the URL and no Basic header', () => {
    const { method, url, headers } = tokenRequest(cf, jwtWanted);
    expect(method).toBe('POST');
    expect(url.href).toBe(cf.tokenUrl);
    expect(headers).toEqual({ Accept: 'application/json', 'Content-Type': 'application/x-www-form-urlencoded' });
  });

  test.each(characters)(
    'a token request on Cloud Foundry sends client %j with secret %j, byte for byte',
    async (clientId, clientSecret, idIn, secretIn) => {
      const { body } = tokenRequest(withClient(cf, clientId, clientSecret), jwtWanted);
      const bytes = await body?.open();
      const form = `grant_type=client_credentials&token_format=jwt&client_id=${idIn}&client_secret=${secretIn}`;
      expect(String(bytes)).toBe(form);
      expect(body?.bytes).toBe(Buffer.byteLength(form));
      expect(new URLSearchParams(String(bytes)).get('client_secret')).toBe(clientSecret);
    },
  );

  test('a token request on Cloud Foundry asks for an opaque token, since UAA gives a JWT by default', async () => {
    const { body } = tokenRequest(withClient(cf, 'a', 'b'), opaqueWanted);
    expect(String(await body?.open())).toBe(
      'grant_type=client_credentials&token_format=opaque&client_id=a&client_secret=b',
    );
  });

  test.each(scopes)('a token request on Cloud Foundry asks for the scope %j', async (scope, encoded) => {
    const { body } = tokenRequest(withClient(cf, 'a', 'b'), { ...jwtWanted, scope });
    expect(String(await body?.open())).toBe(
      `grant_type=client_credentials&token_format=jwt&scope=${encoded}&client_id=a&client_secret=b`,
    );
  });

  test('a token request on Cloud Foundry with a certificate names the client alone (RFC 8705)', async () => {
    const client = readCredentials({ text: JSON.stringify(flatKey), versionId: 'v1' }, 'cpi/orders');
    const { method, url, headers, body, certificate } = tokenRequest(client, jwtWanted);
    expect([method, url.href]).toEqual(['POST', flatKey.tokenurl]);
    expect(headers).not.toHaveProperty('Authorization');
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      token_format: 'jwt',
      client_id: flatKey.clientid,
    });
    expect(String(await body?.open())).toBe(form.toString());
    expect(certificate).toMatchObject({ cert: flatKey.certificate, key: flatKey.key });
  });

  test('a token request on Cloud Foundry has no certificate where the client has a secret', () => {
    expect(tokenRequest(cf, jwtWanted)).not.toHaveProperty('certificate');
  });

  test('a token request on Cloud Foundry can be sent again: its body opens anew', async () => {
    const { body } = tokenRequest(cf, jwtWanted);
    expect(await body?.open()).toEqual(await body?.open());
  });
});

test('the credentials, not the URL, say which kind of token request is made', () => {
  expect(tokenRequest({ ...neo, environment: 'cf' }, jwtWanted).body).toBeDefined();
  expect(tokenRequest({ ...cf, environment: 'neo' }, jwtWanted).headers).toHaveProperty('Authorization');
});
