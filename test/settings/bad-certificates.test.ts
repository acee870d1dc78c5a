/** Secrets with a client certificate that cannot be used: which field, what was expected, and nothing of the key. */
import { createPrivateKey } from 'node:crypto';
import { describe, test } from 'vitest';
import { flatKey, nestedKey, orders, other } from '../token/client-certificate.ts';
import { expectRefusal } from './refusal.ts';
import { changed, MARK, neutral } from './secrets.ts';

const TEXT = 'expected a text that is not empty';
const CERTIFICATE = 'expected a certificate in PEM';
const KEY = 'expected a private key in PEM, not encrypted';

/** A line out of the middle of a PEM, which nobody may tell. */
const within = (pem: string) => pem.split('\n').at(2) ?? '';
const told = [within(orders.key), within(orders.certificate), within(other.key)];

const encrypted = createPrivateKey(orders.key)
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: MARK })
  .toString();
const publicKey = '-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n';

describe.each([
  ['flat', flatKey, ''],
  ['nested', nestedKey, 'oauth.'],
])('A service key with a certificate, %s, is refused', (_, content, prefix) => {
  test.each([
    ['that is empty', '', TEXT],
    ['that is null', null, TEXT],
    ['that is a list of lines', orders.certificate.split('\n'), TEXT],
    ['that is no PEM', `certificate ${MARK}`, CERTIFICATE],
    ['that is cut short', orders.certificate.slice(0, 200), CERTIFICATE],
    ['with no content', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n', CERTIFICATE],
    ['that is the key', orders.key, CERTIFICATE],
  ])('a service key with a certificate %s is refused', (_, certificate, problem) => {
    expectRefusal(changed(content, 'certificate', certificate), `"${prefix}certificate": ${problem}`, told);
  });

  test.each([
    ['that is empty', '', TEXT],
    ['that is null', null, TEXT],
    ['that is no PEM', `key ${MARK}`, KEY],
    ['that is cut short', orders.key.slice(0, 100), KEY],
    ['that is encrypted', encrypted, KEY],
    ['that is a public one', publicKey, KEY],
    ['that is the certificate', orders.certificate, KEY],
    ['of another certificate', other.key, 'does not belong to the certificate'],
  ])('a service key with a certificate whose key is one %s is refused', (_, key, problem) => {
    expectRefusal(changed(content, 'key', key), `"${prefix}key": ${problem}`, told);
  });

  test('a service key with a certificate whose key is missing, and stands nowhere beside it, is refused', () => {
    expectRefusal(changed(content, 'key', undefined), `"${prefix}key" is missing`, told);
  });

  test('a service key with a certificate is refused for Neo, which knows clients with a secret alone', () => {
    const problem = 'a certificate: Neo knows clients with a secret alone';
    expectRefusal(JSON.stringify({ ...content, environment: 'neo' }), problem, told);
    expectRefusal(changed(content, 'tokenurl', neutral.tokenUrl), problem, told);
  });
});

test('a key beside a service key is checked like one in it', () => {
  const { key: _key, ...external } = flatKey;
  const of = (key: unknown) => JSON.stringify({ oauth: external, key });
  expectRefusal(of(other.key), '"oauth.key": does not belong to the certificate', told);
  expectRefusal(of(7), `"oauth.key": ${TEXT}`, told);
  expectRefusal(of(`key ${MARK}`), `"oauth.key": ${KEY}`, told);
});
