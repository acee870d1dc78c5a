/**
 * Secrets that hold no client credentials: which field, what was expected, who must act, and nothing of the content.
 */
import { describe, test } from 'vitest';
import { expectRefusal } from './refusal.ts';
import { changed, flat, forms, MARK, neutral } from './secrets.ts';

const TEXT = 'expected a text that is not empty';
const URL_EXPECTED = 'expected an https: URL without user and fragment (http: for loopback hosts alone)';

describe('A secret is refused', () => {
  test.each([
    ['is empty', ''],
    ['is no JSON', `clientId=${MARK}`],
    ['is JSON cut short', `{"clientId":"${MARK}`],
    ['is a list', `[{"clientId":"${MARK}"}]`],
    ['is a text', `"${MARK}"`],
    ['is a number', '4711'],
    ['is null', 'null'],
  ])('a secret is refused that %s', (_, text) => {
    expectRefusal(text, 'expected a JSON object');
  });

  test.each([
    ['a text', MARK],
    ['a list', [MARK]],
    ['null', null],
  ])('a secret is refused whose "oauth" is %s', (_, oauth) => {
    expectRefusal(JSON.stringify({ oauth }), '"oauth": expected an object, as in a service key');
  });

  test.each([
    ['an empty object', {}, '"clientId" is missing'],
    ['an empty service key', { oauth: {} }, '"oauth.clientid" is missing'],
    ['the credentials of a database', { username: MARK, password: MARK, host: MARK }, '"clientId" is missing'],
    ['the neutral form within "oauth"', { oauth: neutral }, '"oauth.clientid" is missing'],
  ])('a secret is refused that is %s', (_, content, problem) => {
    expectRefusal(JSON.stringify(content), problem);
  });

  describe.each(forms)('in the form %s', (_, content, prefix, [id, secret, tokenUrl]) => {
    const fields = [id, secret, tokenUrl].map((field) => [field] as const);

    test.each(fields)('a secret is refused without %s', (field) => {
      expectRefusal(changed(content, field, undefined), `"${prefix}${field}" is missing`);
    });

    const wrong = [id, secret, tokenUrl].flatMap((field) =>
      ['', null, 4711, true, [MARK], { value: MARK }].map((value) => [field, value] as const),
    );
    test.each(wrong)('a secret is refused with %s as %j', (field, value) => {
      expectRefusal(changed(content, field, value), `"${prefix}${field}": ${TEXT}`);
    });

    test.each([
      ['is no URL', MARK],
      ['is http: off loopback', `http://${MARK}.example.com/oauth/token`],
      ['has a user', `https://joe@${MARK}.example.com/oauth/token`],
      ['has a user and a password', `https://joe:${MARK}@example.com/oauth/token`],
      ['has a fragment', `https://example.com/oauth/token#${MARK}`],
      ['is a file', `file:///${MARK}`],
      ['only begins like loopback', `http://127.0.0.1.${MARK}.example.com/oauth/token`],
    ])('a secret is refused whose token URL %s', (_, value) => {
      expectRefusal(changed(content, tokenUrl, value), `"${prefix}${tokenUrl}": ${URL_EXPECTED}`);
    });

    test('a secret is refused with a colon in the client id, which Basic cannot carry', () => {
      const problem = 'the client id must not contain ":", since Basic authentication cannot carry it';
      expectRefusal(changed(content, id, `orders:${MARK}`), problem);
    });

    test.each(['CF', 'abap', '', 1, ['neo'], {}])('a secret is refused with %j as environment', (environment) => {
      const text = JSON.stringify({ ...content, environment });
      expectRefusal(text, '"environment": expected "neo" or "cf"');
    });
  });

  test.each([
    ['flat', flat, ''],
    ['nested', { oauth: flat }, 'oauth.'],
  ])('a secret is refused in the form %s, whose runtime host is not safe', (_, content, prefix) => {
    for (const url of [`http://${MARK}.example.com`, `https://a:${MARK}@example.com`, MARK]) {
      expectRefusal(changed(content, 'url', url), `"${prefix}url": ${URL_EXPECTED}`);
    }
    expectRefusal(changed(content, 'url', 7), `"${prefix}url": ${TEXT}`);
  });
});
