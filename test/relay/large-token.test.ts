/**
 * A 400 or 431 while the access token is larger than a server can be expected to take: the token is to blame, not the
 * message.
 */
import { describe, expect, test } from 'vitest';
import type { HttpAnswer } from '../../functions/http/http.ts';
import { answer, EXCEPTION, MPL_ID } from '../doubles/answer.ts';
import { tokenOf } from '../doubles/token.ts';
import { attempt, message, reasonOf } from './sender-adapter.ts';

/** `attempt` appends "-1" to a token, so that each is another. */
const tokenWith = (bytes: number) => tokenOf('x'.repeat(bytes - 2));
const MOST = 8_192;
const PAGE = '<!doctype html><html><body><h1>HTTP Status 400 – Bad Request</h1></body></html>';
const ADAPTERS = ['https', 'soap', 'soap-rm', 'odata'];
const FAULT =
  '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>x</faultcode></e:Fault></e:Body></e:Envelope>';

async function judged(bytes: number, came: HttpAnswer, settings: object = {}) {
  const envelope = message('<e/>', { contentType: 'text/xml' });
  const { outcome, calls } = await attempt({ csrf: false, ...settings }, [came], envelope, tokenWith(bytes));
  return { ...outcome, calls };
}

describe.each(ADAPTERS)('Through adapter %s', (adapter) => {
  test.each([400, 431])(
    'a %i to a token larger than 8 KB is blamed on the token, and says who must act',
    async (status) => {
      const outcome = await judged(MOST + 1, answer(status, PAGE), { adapter });
      expect(outcome).toMatchObject({ kind: 'blocked', executed: 'unknown', status, calls: 1 });
      expect(reasonOf(outcome)).toBe(
        `the endpoint answered ${status}: the token of 8193 bytes is too large for the endpoint: fewer scopes or role collections; the operator must set "scope", or take from the client what it does not need`,
      );
    },
  );

  test.each([
    [400, 'rejected'],
    [431, 'failed'],
  ])('a %i to a token of 8 KB is judged by its status: %s', async (status, kind) => {
    expect(await judged(MOST, answer(status, PAGE), { adapter })).toMatchObject({ kind, status });
  });

  test.each([
    ['in the header', answer(400, PAGE, { sap_messageprocessinglogid: MPL_ID })],
    ['in the body', answer(400, EXCEPTION)],
  ])('a 400 with the flow’s mark %s comes from the flow, whatever the token’s size', async (_, came) => {
    expect(await judged(MOST + 1, came, { adapter })).toMatchObject({ kind: 'rejected', status: 400 });
  });

  test.each([200, 401, 403, 404, 413, 414, 500, 503])('a %i does not mention the token’s size', async (status) => {
    const sized = await judged(MOST + 1, answer(status), { adapter });
    expect(sized).toEqual(await judged(MOST, answer(status), { adapter }));
  });
});

test.each([
  ['a SOAP fault', { adapter: 'soap' }, FAULT],
  ['an OData error', { adapter: 'odata' }, '{"error":{"code":"400"}}'],
])('a 400 with %s has got past the container', async (_, settings, body) => {
  expect(await judged(MOST + 1, answer(400, body), settings)).toMatchObject({ kind: 'rejected', status: 400 });
});

test('a 400 to the fetch of a CSRF token is blamed on a large token, too', async () => {
  const outcome = await judged(MOST + 1, answer(400, PAGE), { csrf: true });
  expect(outcome).toMatchObject({ kind: 'blocked', executed: 'no', status: 400, calls: 0 });
  expect(reasonOf(outcome)).toContain('the token of 8193 bytes is too large');
});
