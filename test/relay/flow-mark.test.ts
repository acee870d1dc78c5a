/** An answer with the flow's mark, SAP's id of the message processing log, came from the flow: what that changes. */

import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { HttpAnswer } from '../../functions/http/http.ts';
import { answer, EXCEPTION, MPL_ID, STATUSES } from '../doubles/answer.ts';
import { createSimulatedTime, NOON } from '../doubles/time.ts';
import { keptEndpoint } from './kept-endpoint.ts';
import { run, told } from './run.ts';
import { attempt } from './sender-adapter.ts';

const MARKS: readonly (readonly [where: string, body: string, headers: IncomingHttpHeaders])[] = [
  ['in the header', '', { sap_messageprocessinglogid: MPL_ID }],
  ['in the body', EXCEPTION, {}],
];
const REJECTED = [400, 409, 410, 412, 413, 415, 422];

function kindOf(status: number): string {
  if (status >= 200 && status < 300) return 'delivered';
  if (status >= 300 && status < 400) return 'blocked';
  return REJECTED.includes(status) ? 'rejected' : 'failed';
}

describe.each(MARKS)('With the mark %s', (_, body, headers) => {
  const marked = (status: number) => answer(status, body, headers);

  test.each(STATUSES)(
    'an answer of %i with the flow’s mark is the flow’s, and nothing is sent again',
    async (status) => {
      const kind = kindOf(status);
      const { outcome, calls, told: seen } = await run(['a'], [marked(status)]);
      expect(outcome).toMatchObject({
        kind,
        executed: kind === 'delivered' ? 'yes' : 'unknown',
        status,
        mplId: MPL_ID,
      });
      expect([calls, seen]).toEqual([1, told(1, [], ['a'])]);
    },
  );

  test.each(STATUSES)('an answer of %i with the flow’s mark is no matter of an expired token', async (status) => {
    const { told: seen } = await run(['a'], [marked(status)], { tokenFields: { expiresAt: NOON } });
    expect(seen).toEqual(told(1, [], ['a']));
  });

  test.each([401, 403, 404, 405])(
    'a %i with the flow’s mark names no operator, and says whose answer it is',
    async (status) => {
      const { outcome } = await run(['a'], [marked(status)]);
      expect(outcome).toMatchObject({
        reason: `the endpoint answered ${status}, by the flow itself: kept for a later try`,
      });
    },
  );

  test.each([401, 403, 404, 405])('a %i with the flow’s mark waits for as long as the flow asks', async (status) => {
    const { outcome } = await run(['a'], [answer(status, body, { ...headers, 'retry-after': '7' })]);
    expect(outcome).toMatchObject({ kind: 'failed', retryAfterMs: 7_000 });
  });

  test('a 401 with the flow’s mark to the second token does not reject it, and no pause begins', async () => {
    const options = { endpoint: keptEndpoint() };
    const { outcome, told: seen } = await run(['a', 'b'], [answer(401), marked(401)], options);
    expect(outcome).toMatchObject({ kind: 'failed', executed: 'unknown' });
    expect(seen).toEqual(told(2, ['a'], ['a', 'b']));
    expect((await run(['b'], [answer(200)], options)).outcome.kind).toBe('delivered');
  });

  test('a 403 with the flow’s mark does not use up the search for new scopes', async () => {
    const options = { endpoint: keptEndpoint() };
    await run(['a'], [marked(403)], options);
    const { outcome } = await run(['a', 'b'], [answer(403), answer(200)], options);
    expect(outcome.kind).toBe('delivered');
  });

  test('a 401 with the flow’s mark after a pause shows that tokens are accepted again', async () => {
    const clock = createSimulatedTime();
    const now = clock.now;
    const options = { now, endpoint: keptEndpoint(now) };
    await run(['a', 'b'], [answer(401), answer(401)], options);
    clock.advance(30_000);
    await run(['c'], [marked(401)], options);
    await run(['c', 'd'], [answer(401), answer(401)], options);
    clock.advance(30_000);
    expect((await run(['e'], [answer(200)], options)).outcome.kind).toBe('delivered');
  });

  test('a 403 with the flow’s mark that asks for a CSRF token has run the flow: no second try', async () => {
    const demanded = { ...marked(403), headers: { ...headers, 'x-csrf-token': 'Required' } };
    const { outcome, requests } = await attempt({}, [demanded]);
    expect(outcome).toMatchObject({ kind: 'failed', executed: 'unknown', status: 403 });
    expect(requests).toHaveLength(1);
  });

  test('a 403 with the flow’s mark within a session has run the flow: no other session, no other try', async () => {
    const session = answer(200, '', { 'x-csrf-token': 'abc' });
    const demanded = { ...marked(403), headers: { ...headers, 'x-csrf-token': 'Required' } };
    const { outcome, calls } = await attempt({ csrf: true }, [session, demanded]);
    expect([outcome.kind, outcome.executed, calls]).toEqual(['failed', 'unknown', 1]);
  });

  test('a fetch of a CSRF token with the flow’s mark has run the flow', async () => {
    const { outcome, calls } = await attempt({ csrf: true }, [marked(403)]);
    expect([outcome.kind, outcome.executed, calls]).toEqual(['failed', 'unknown', 0]);
  });

  test('a SOAP fault or OData error with the flow’s mark decides no more than that', async () => {
    const fault =
      '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>e:Client</faultcode></e:Fault></e:Body></e:Envelope>';
    const entity = '{"error":{"code":"404","message":{"value":"not found"}}}';
    const withMark = (text: string): HttpAnswer => answer(404, `${text}\n${body}`, headers);
    const soap = await attempt({ adapter: 'soap' }, [withMark(fault)]);
    expect(soap.outcome).toMatchObject({ kind: 'failed', executed: 'unknown', status: 404 });
    const odata = await attempt({ adapter: 'odata', csrf: false, pathFrom: 'x-entity' }, [
      answer(404, entity, { ...headers, sap_messageprocessinglogid: MPL_ID }),
    ]);
    expect(odata.outcome).toMatchObject({ kind: 'failed', executed: 'unknown', status: 404 });
  });
});

test.each([
  [401, 'blocked', told(2, ['a', 'b'], ['a', 'b'])],
  [403, 'blocked', told(1, [], ['a', 'b'], 1)],
] as const)('a %i without the flow’s mark is judged by its status', async (status, kind, seen) => {
  const { outcome, told: noted } = await run(['a', 'b'], [answer(status), answer(status)]);
  expect(outcome).toMatchObject({ kind, executed: 'no' });
  expect(noted).toEqual(seen);
});
