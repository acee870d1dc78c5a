/**
 * What SAP answers at an integration flow's endpoint, situation by situation, and what each sender adapter makes of it.
 */
import { describe, expect, test } from 'vitest';
import type { HttpAnswer } from '../../functions/http/http.ts';
import { answer, EXCEPTION, MPL_ID } from '../doubles/answer.ts';
import { attempt, message, outcome, reasonOf } from './sender-adapter.ts';

const HTML = { 'content-type': 'text/html;charset=utf-8' };
const page = (status: number, title: string) =>
  answer(status, `<!doctype html><html><h1>HTTP Status ${status} – ${title}</h1></html>`, HTML);
const SOAP = '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body/></soap:Envelope>';

/** The situation, the answer, and of the outcome kind and executed; for all four adapters alike. */
const situations: readonly (readonly [string, HttpAnswer, string, string])[] = [
  [
    'no token that the node knows',
    answer(401, '{"error":"unauthorized","error_description":"An Authentication object was not found"}'),
    'blocked',
    'no',
  ],
  ['the same, as XML', answer(401, '<oauth><error>unauthorized</error></oauth>'), 'blocked', 'no'],
  ['the role is missing', page(403, 'Forbidden'), 'blocked', 'no'],
  ['not deployed, wrong path or wrong servlet', page(404, 'Not Found'), 'blocked', 'no'],
  ['no route', answer(404, "404 Not Found: Requested route ('x') does not exist."), 'blocked', 'no'],
  ['another method', page(405, 'Method Not Allowed'), 'blocked', 'no'],
  ['node down', page(503, 'Service Unavailable'), 'failed', 'no'],
  ['node down, by the router', answer(502, '502 Bad Gateway: Registered endpoint failed'), 'failed', 'unknown'],
  ['gateway gave up', answer(504), 'failed', 'unknown'],
  ['too large', answer(413, 'Request Entity Too Large'), 'rejected', 'no'],
  [
    'too large, in the adapter’s words',
    answer(413, 'Message body exceeds configured size limit (1.0 MB).'),
    'rejected',
    'no',
  ],
  ['body too slow', answer(408), 'failed', 'unknown'],
  ['throttled', answer(429), 'failed', 'no'],
  ['the flow failed', answer(500, EXCEPTION, { 'content-type': 'text/plain' }), 'failed', 'unknown'],
  ['the flow failed on a node that is going down', answer(503, EXCEPTION), 'failed', 'unknown'],
  ['a redirect to a login page', answer(302, '', { location: 'https://login.example.com' }), 'blocked', 'unknown'],
  ['ok', answer(200, '{"ok":true}'), 'delivered', 'yes'],
  ['ok, and empty', answer(200), 'delivered', 'yes'],
  ['ok, with an envelope', answer(200, SOAP, { 'content-type': 'text/xml' }), 'delivered', 'yes'],
  ['created', answer(201, '{"d":{}}'), 'delivered', 'yes'],
  ['accepted', answer(202), 'delivered', 'yes'],
  ['no content', answer(204), 'delivered', 'yes'],
  ['whatever CamelHttpResponseCode says is well', answer(299), 'delivered', 'yes'],
  ['whatever CamelHttpResponseCode says is not', answer(422, 'no'), 'rejected', 'unknown'],
  ['a status that nobody foresaw', answer(418), 'failed', 'unknown'],
];

describe.each(['https', 'soap', 'soap-rm', 'odata'])('With adapter %s', (adapter) => {
  test.each(situations)('the status decides for each sender adapter: %s', async (_, came, kind, executed) => {
    expect(await outcome({ adapter }, came)).toMatchObject({ kind, executed, status: came.status });
  });

  test('the MPL id is found in the header and in the body with each sender adapter', async () => {
    expect(await outcome({ adapter }, answer(500, EXCEPTION))).toMatchObject({ mplId: MPL_ID });
    const inHeader = answer(200, '', { sap_messageprocessinglogid: MPL_ID });
    expect(await outcome({ adapter }, inHeader)).toMatchObject({ kind: 'delivered', mplId: MPL_ID });
  });

  test('a 401 is followed by a new token and the very same message with each sender adapter', async () => {
    const what = message('<a/>', { id: 'order-4711' });
    const {
      outcome: judged,
      calls,
      requests,
    } = await attempt({ adapter, csrf: false }, [answer(401), answer(202)], what);
    expect([judged.kind, calls]).toEqual(['delivered', 2]);
    const [first, second] = requests.map(({ url, headers: { Authorization, ...headers } }) => [url.href, headers]);
    expect(second).toEqual(first);
    expect(requests.map(({ headers }) => headers.Authorization)).toEqual(['Bearer t0ken-1', 'Bearer t0ken-2']);
  });

  test('a demand for a CSRF token is met with each sender adapter, whatever the settings say', async () => {
    const required = answer(403, '<html>', { 'x-csrf-token': 'Required' });
    const opened = answer(200, '', { 'x-csrf-token': 'abc', 'set-cookie': ['SESSION=1; Path=/'] });
    const { outcome: judged, requests } = await attempt({ adapter, csrf: false }, [required, opened, answer(202)]);
    expect(judged).toMatchObject({ kind: 'delivered' });
    expect(requests.map(({ method }) => method)).toEqual(['POST', 'HEAD', 'POST']);
    expect(requests[2]?.headers).toMatchObject({ 'X-CSRF-Token': 'abc', Cookie: 'SESSION=1' });
  });

  test('an answer that is not of the protocol is not quoted with any sender adapter', async () => {
    for (const [, came, kind] of situations) {
      if (kind === 'delivered') continue;
      const body = Buffer.from(`${came.body} hunter22`);
      expect(reasonOf(await outcome({ adapter }, { ...came, body }))).not.toMatch(/hunter22|[\r\n]/);
    }
  });
});
