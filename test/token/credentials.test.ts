/** Client credentials as SAP hands them out: each form is read, and which way the authorization server is asked. */

import { describe, expect, test } from 'vitest';
import { readCredentials, sameCredentials } from '../../functions/token/credentials.ts';
import { flat, neutral } from '../settings/secrets.ts';
import { flatKey, other } from './client-certificate.ts';
import { read } from './clients.ts';

describe('Credentials are read', () => {
  test('credentials are read from the neutral form', () => {
    expect(read(neutral)).toStrictEqual({
      clientId: neutral.clientId,
      clientAuthentication: { clientSecret: neutral.clientSecret },
      tokenUrl: neutral.tokenUrl,
      environment: 'neo',
      versionId: 'v7',
    });
  });

  test.each([
    ['flat', flat],
    ['nested in "oauth"', { oauth: flat }],
  ])('credentials are read from a service key, %s, with the host of its runtime node', (_, content) => {
    expect(read(content)).toStrictEqual({
      clientId: flat.clientid,
      clientAuthentication: { clientSecret: flat.clientsecret },
      tokenUrl: flat.tokenurl,
      serviceUrl: flat.url,
      environment: 'cf',
      versionId: 'v7',
    });
  });

  test.each(['key', 'certificate'])(
    'credentials are read from the neutral form with a further field "%s", which is ignored',
    (field) => {
      expect(read({ ...neutral, [field]: 'of somebody else' })).toStrictEqual(read(neutral));
    },
  );

  test('credentials are read from a service key without a host', () => {
    const { url: _url, ...rest } = flat;
    expect(read(rest)).not.toHaveProperty('serviceUrl');
  });

  test('credentials are read from the neutral form whose further field "url" is no host', () => {
    expect(read({ ...neutral, url: 'nowhere' })).not.toHaveProperty('serviceUrl');
  });

  test.each([
    ['white space around it', `\n\t ${JSON.stringify(neutral)} \r\n`],
    ['further fields', JSON.stringify({ ...neutral, comment: 'orders', createdate: 1, sap: { a: [] } })],
  ])('credentials are read with %s', (_, text) => {
    expect(readCredentials({ text, versionId: '' }, 's')).toMatchObject({
      clientId: neutral.clientId,
      clientAuthentication: { clientSecret: neutral.clientSecret },
      tokenUrl: neutral.tokenUrl,
    });
  });

  test('credentials are read with a token URL on loopback', () => {
    const tokenUrl = 'http://127.0.0.1:4711/oauth/token';
    expect(read({ ...neutral, tokenUrl })).toMatchObject({ tokenUrl, environment: 'cf' });
  });

  test('credentials are read exactly as they stand: nothing is trimmed or decoded', () => {
    const clientSecret = ' p%C3%A4ss wörd+/=\u{1F511} ';
    expect(read({ ...neutral, clientSecret })).toMatchObject({ clientAuthentication: { clientSecret } });
  });
});

describe('Two versions of a secret', () => {
  const changes: readonly (readonly [string, object, boolean])[] = [
    ['the version alone', { versionId: 'v8' }, true],
    ['the host of the runtime node', { serviceUrl: 'https://rt.example.com' }, true],
    ['the client id', { clientId: 'sb-other' }, false],
    ['the client secret', { clientAuthentication: { clientSecret: 'other' } }, false],
    ['the token URL', { tokenUrl: 'https://other.example.com/oauth/token' }, false],
    ['the environment, and so the form of the request', { environment: 'neo' }, false],
  ];

  test.each(changes)(
    'two versions of a secret that differ in %s are the same to the authorization server or not',
    (_, change, same) => {
      const one = read(flat);
      expect(sameCredentials(one, { ...one, ...change })).toBe(same);
      expect(sameCredentials({ ...one, ...change }, one)).toBe(same);
    },
  );

  test('two versions of a secret with certificates are told apart by these, and from one with a client secret', () => {
    const [one, two, secret] = [read(flatKey), read({ ...flatKey, ...other }), read(flat)];
    expect(sameCredentials(one, read(flatKey))).toBe(true);
    expect(sameCredentials(one, two)).toBe(false);
    expect(sameCredentials(one, secret)).toBe(false);
  });
});

describe('The way of asking', () => {
  test.each([
    ['https://oauthasservices-a1.eu2.hana.ondemand.com/oauth2/api/v1/token', 'neo'],
    ['https://example.com/oauth2/api/v2/token?x=1', 'neo'],
    ['https://acme.authentication.eu10.hana.ondemand.com/oauth/token', 'cf'],
    ['https://example.com/oauth2/apitoken/v1', 'cf'],
    ['https://example.com/x/oauth2/api/v1/token', 'cf'],
    ['https://example.com/?/oauth2/api/v1/token', 'cf'],
    ['https://example.com', 'cf'],
  ])('the kind of token request for %s is %s', (tokenUrl, environment) => {
    expect(read({ ...neutral, tokenUrl })).toMatchObject({ environment });
  });

  test.each([
    ['cf', neutral],
    ['neo', flat],
    ['neo', { oauth: flat }],
  ])('the kind of token request is %s where the secret says so', (environment, content) => {
    expect(read({ ...content, environment })).toMatchObject({ environment });
  });
});
