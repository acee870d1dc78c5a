/** The request that goes out to the SOAP (SAP RM) sender adapter: the message id, quality of service and queue. */
import { describe, expect, test } from 'vitest';
import { answer } from '../doubles/answer.ts';
import { attempt, message, onWire, outcome, refusal } from './sender-adapter.ts';

const PATH = '/cxf/orders';
const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';
const GUID = '00163ec1-abf4-1eeb-acbf-25ab61ffa285';
const ENVELOPE = `<s:Envelope xmlns:s="${SOAP}"><s:Body><a/></s:Body></s:Envelope>`;
const rm = { adapter: 'soap-rm' };
const withId = (id: string, fields = {}) => message(ENVELOPE, { id, ...fields });

test('the call of an SAP RM endpoint is SOAP’s, with the message id in the query and in no header', async () => {
  expect(await onWire(PATH, rm, withId(GUID))).toEqual({
    line: `POST /cxf/orders?MessageId=${GUID}`,
    headers: [
      'SOAPAction: ""',
      'Content-Type: text/xml; charset=utf-8',
      'Authorization: Bearer t0ken',
      `Content-Length: ${ENVELOPE.length}`,
    ],
    body: ENVELOPE,
  });
});

test('the message id is also in a header, where one is set', async () => {
  const { headers } = await onWire(PATH, { ...rm, idHeader: 'X-Id' }, withId('order 4711'));
  expect(headers).toContain('X-Id: order 4711');
});

describe('The message id is', () => {
  test.each([
    ['a GUID as it is', {}, GUID, GUID],
    ['a GUID in capitals as it is', {}, GUID.toUpperCase(), GUID.toUpperCase()],
    ['a GUID without dashes as it is', {}, GUID.replaceAll('-', ''), GUID.replaceAll('-', '')],
    ['a GUID without what stands before it', {}, `urn:uuid:${GUID}`, GUID],
    ['a GUID without what SAP writes before it', {}, `uuid:${GUID}`, GUID],
    ['a GUID made of any other id', {}, 'order-4711', 'ada08dba-8e23-5c06-b234-1898e6785dee'],
    ['another GUID for another id', {}, 'order-4712', 'bdcfcc1f-25e8-5d56-b1bf-f9f95fc36c22'],
    ['any id as it is, where that is set', { messageIdFormat: 'as-is' }, 'order 4711&a=b', 'order+4711%26a%3Db'],
  ])('the message id of SAP RM is %s', async (_, settings, id, expected) => {
    expect((await onWire(PATH, { ...rm, ...settings }, withId(id))).line).toBe(
      `POST /cxf/orders?MessageId=${expected}`,
    );
  });

  test.each([{}, { messageIdAs: 'header' }])(
    'the message id of SAP RM is the same whenever the message goes out: %j',
    async (settings) => {
      const ids = async () => {
        const answers = [answer(401), answer(500)];
        const { requests } = await attempt({ ...rm, ...settings }, answers, withId('order-4711'));
        return Promise.all(
          requests.map(
            async ({ url, body }) => `${url.search} ${Buffer.from((await body?.open()) as Buffer).toString()}`,
          ),
        );
      };
      const [first, second, third, fourth] = [...(await ids()), ...(await ids())];
      expect(first).toMatch(/MessageId=[\da-f-]{36} |>uuid:[\da-f-]{36}</);
      expect([second, third, fourth]).toEqual([first, first, first]);
    },
  );
});

describe('The query has', () => {
  test.each<[string, object, object, string]>([
    ['the quality of service', { qualityOfService: 'ExactlyOnce' }, {}, '&QualityOfService=ExactlyOnce'],
    [
      'the queue that is set',
      { qualityOfService: 'ExactlyOnceInOrder', queueId: 'ORDERS/1' },
      { group: 'customer-4711' },
      '&QualityOfService=ExactlyOnceInOrder&QueueId=ORDERS%2F1',
    ],
    [
      'the message’s group as its queue',
      { qualityOfService: 'ExactlyOnceInOrder', queueIdFromGroup: true, fifo: true },
      { group: 'customer-4711' },
      '&QualityOfService=ExactlyOnceInOrder&QueueId=customer-4711',
    ],
    [
      'the destination’s name where the message came by no queue',
      { qualityOfService: 'ExactlyOnceInOrder', queueIdFromGroup: true, fifo: true },
      {},
      '&QualityOfService=ExactlyOnceInOrder&QueueId=orders',
    ],
    [
      'the destination’s name where its queue named no group',
      { qualityOfService: 'ExactlyOnceInOrder', queueIdFromGroup: true, fifo: true },
      { group: '' },
      '&QualityOfService=ExactlyOnceInOrder&QueueId=orders',
    ],
    ['no queue, where none is set', {}, { group: 'customer-4711' }, ''],
  ])('the query of SAP RM has %s', async (_, settings, fields, rest) => {
    const { line } = await onWire(PATH, { ...rm, ...settings }, withId(GUID, fields));
    expect(line).toBe(`POST /cxf/orders?MessageId=${GUID}${rest}`);
  });

  test('the query of SAP RM has what the url and the settings have before that', async () => {
    const { line } = await onWire(`${PATH}?a=1`, { ...rm, query: { b: '2' } }, withId(GUID));
    expect(line).toBe(`POST /cxf/orders?a=1&b=2&MessageId=${GUID}`);
  });
});

describe('As a SOAP header the id stands', () => {
  const asHeader = { ...rm, messageIdAs: 'header' };
  const block = `<messageId xmlns="http://www.sap.com/webas/640/soap/features/messageId/">uuid:${GUID}</messageId>`;
  const header = `<s:Header>${block}</s:Header>`;
  const open = `<s:Envelope xmlns:s="${SOAP}">`;
  const rest = '<s:Body a=">"><a/></s:Body></s:Envelope>';
  const inHeader = (inside: string) => `${open}<s:Header>${inside}</s:Header>${rest}`;
  const OTHER_OF_SAP = '<m:other xmlns:m="http://www.sap.com/webas/640/soap/features/messageId/"/>';
  const HEADER_OF_X = '<x:Header xmlns:x="urn:x"/>';

  test.each([
    ['in one of its own', `${open}${rest}`, `${open}${header}${rest}`],
    [
      'before what is in it',
      `${open}<s:Header><x/></s:Header>${rest}`,
      `${open}<s:Header>${block}<x/></s:Header>${rest}`,
    ],
    [
      'in one that is empty',
      `${open}\n<s:Header a = "/" />${rest}`,
      `${open}\n<s:Header a = "/" >${block}</s:Header>${rest}`,
    ],
    [
      'in an envelope without prefix',
      `<Envelope xmlns='${SOAP}'><Body/></Envelope>`,
      `<Envelope xmlns='${SOAP}'><Header>${block}</Header><Body/></Envelope>`,
    ],
    [
      'behind a declaration, comments and line ends, which stay',
      `<?xml version="1.0"?>\r\n<!-- ü😀 -->\r\n${open}\r\n${rest}\r\n`,
      `<?xml version="1.0"?>\r\n<!-- ü😀 -->\r\n${open}${header}\r\n${rest}\r\n`,
    ],
    [
      'not, where the sender has put one in: that stays',
      `${open}${header.replace(GUID, 'its-own')}${rest}`,
      `${open}${header.replace(GUID, 'its-own')}${rest}`,
    ],
    ['beside another of that namespace', inHeader(OTHER_OF_SAP), inHeader(`${block}${OTHER_OF_SAP}`)],
    ['beside a block with one of that name in it', inHeader(`<x>${block}</x>`), inHeader(`${block}<x>${block}</x>`)],
    ['before a block of the header’s name', inHeader(HEADER_OF_X), inHeader(`${block}${HEADER_OF_X}`)],
    [
      'beside one of that name that is another’s',
      `${open}<s:Header><messageId xmlns="urn:x"/></s:Header>${rest}`,
      `${open}<s:Header>${block}<messageId xmlns="urn:x"/></s:Header>${rest}`,
    ],
  ])('the message id stands as a SOAP header %s', async (_, payload, expected) => {
    const call = await onWire(PATH, asHeader, message(payload, { id: GUID }));
    expect(call.line).toBe('POST /cxf/orders');
    expect(Buffer.from(call.body, 'latin1').toString()).toBe(expected);
    expect(call.headers).toContain('Content-Type: text/xml; charset=utf-8');
  });

  test('the message id stands as a SOAP header in an envelope that is made for the payload', async () => {
    const call = await onWire(PATH, { ...asHeader, soapWrap: true }, message('<a/>', { id: GUID }));
    expect(call.body).toBe(
      `<soapenv:Envelope xmlns:soapenv="${SOAP}"><soapenv:Header>${block}</soapenv:Header><soapenv:Body><a/></soapenv:Body></soapenv:Envelope>`,
    );
  });

  test('the message id stands as a SOAP header in an envelope of another encoding, whose bytes stay', async () => {
    const declaration = '<?xml version="1.0" encoding="ISO-8859-1"?><!-- \xfc -->';
    const payload = Buffer.from(`${declaration}${open}${rest}`, 'latin1');
    const call = await onWire(PATH, asHeader, message(payload, { id: GUID }));
    expect(call.body).toBe(`${declaration}${open}${header}${rest}`);
    expect(call.headers).toContain('Content-Type: text/xml; charset=ISO-8859-1');
  });

  test('the message id stands as a SOAP header as it is, and escaped, where that is set', async () => {
    const call = await onWire(PATH, { ...asHeader, messageIdFormat: 'as-is' }, withId('a<&>b'));
    expect(call.body).toContain('messageId/">a&#60;&#38;&#62;b</messageId>');
  });

  test('the message id stands as a SOAP header; quality of service and queue stay in the query', async () => {
    const settings = { ...asHeader, qualityOfService: 'ExactlyOnceInOrder', queueId: 'Q' };
    const { line } = await onWire(PATH, settings, withId(GUID));
    expect(line).toBe('POST /cxf/orders?QualityOfService=ExactlyOnceInOrder&QueueId=Q');
  });

  test.each([
    ['no envelope', '<hunter22/>', 'expected a SOAP envelope'],
    ['an envelope that is broken', `${open}<s:Header><hunter22></s:Header>${rest}`, 'expected well-formed XML'],
    [
      'an envelope with a body in its header',
      `${open}<s:Header><s:Body/></s:Header></s:Envelope>`,
      'expected well-formed XML',
    ],
    ['an envelope without a body', `<s:Envelope xmlns:s="${SOAP}" hunter="22"/>`, 'expected well-formed XML'],
    [
      'an envelope whose places cannot be counted',
      Buffer.concat([
        Buffer.from('<?xml version="1.0" encoding="Shift_JIS"?><!-- '),
        Buffer.from('93fa', 'hex'),
        Buffer.from(` -->${open}${rest}`),
      ]),
      'no header can be put into an envelope in the encoding shift_jis',
    ],
  ])('a SOAP header for the message id is refused in %s', async (_, payload, problem) => {
    const refused = await refusal(asHeader, message(payload, { id: GUID }));
    expect(refused).toMatchObject({ code: 'MESSAGE_INVALID', executed: 'no' });
    expect(refused.message).toContain(problem);
    expect(refused.message).not.toContain('hunter');
  });
});

test.each([200, 201, 202, 204])('any 2xx of SAP RM is success: %i', async (status) => {
  const empty = `<s:Envelope xmlns:s="${SOAP}"><s:Body/></s:Envelope>`;
  expect(await outcome(rm, answer(status), withId(GUID))).toMatchObject({ kind: 'delivered', status });
  expect(await outcome(rm, answer(status, empty), withId(GUID))).toMatchObject({ kind: 'delivered', status });
});
