import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { DestinationPlan } from '../../../infra/local/landscape.ts';
import type { Deployment, Received } from '../../../infra/local/sap/runtime-node/integration-flow.ts';
import { type Stage, setStage, WEBHOOK_USER } from '../stage.ts';

const NAMESPACES = {
  '1.1': 'http://schemas.xmlsoap.org/soap/envelope/',
  '1.2': 'http://www.w3.org/2003/05/soap-envelope',
} as const;

/** A payload like no other, as a legacy system has it. */
const orderXml = (name = 'Müller & Söhne') =>
  `<o:Order xmlns:o="urn:acme:orders"><o:Id>${randomUUID()}</o:Id><o:Name>${name.replace('&', '&amp;')}</o:Name></o:Order>`;
const envelope = (content: string, version: keyof typeof NAMESPACES = '1.1') =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<s:Envelope xmlns:s="${NAMESPACES[version]}"><s:Header/><s:Body>${content}</s:Body></s:Envelope>`;

function lettersOf({ orders }: Stage): unknown[] {
  return orders.deadLetterQueue.messages.map(({ attributes }) =>
    JSON.parse(attributes.deadLetter?.stringValue ?? '{}'),
  );
}

function plan(flow: Partial<Deployment> = {}, settings: object = {}): DestinationPlan {
  return {
    name: 'orders',
    flow: { sender: 'soap', allowedHeaders: ['SAP_ApplicationID'], ...flow },
    settings: { adapter: 'soap', ...settings },
  };
}

test.each([
  { version: '1.1', pattern: 'request-reply', processing: undefined, status: 200 },
  { version: '1.2', pattern: 'request-reply', processing: undefined, status: 200 },
  { version: '1.1', pattern: 'one-way', processing: 'ws-standard', status: 202 },
  { version: '1.2', pattern: 'one-way', processing: 'robust', status: 202 },
] as const)(
  'an envelope of SOAP $version arrives byte for byte ($pattern, $processing: $status)',
  async ({ version, pattern, processing, status }) => {
    const soap = { messageExchangePattern: pattern, ...(processing === undefined ? {} : { processing }) };
    const settings = { soapVersion: version, soapAction: 'urn:acme:orders:Create' };
    const stage = await setStage({ plans: [plan({ soap }, settings)] });
    const id = stage.send(stage.orders, { body: envelope(orderXml(), version) });

    await stage.poll();

    const [message] = await stage.runtimeNode.waitForMessages(1);
    expect(stage.arrivals()).toEqual([id]);
    expect(message).toMatchObject({
      soap: { version, action: 'urn:acme:orders:Create' },
      headers: { sap_applicationid: id },
    });
    expect(stage.outcomes()).toEqual({ [`delivered ${status} yes 1`]: 1 });
    expect(stage.tally()).toMatchObject({ tokenRequests: [200], calls: { [`POST ${status}`]: 1 }, left: 0, dead: 0 });
  },
);

test('a webhook’s caller gets the flow’s reply, envelope and all', async () => {
  const answer = () => ({ status: 200, body: '<o:Taken xmlns:o="urn:acme:orders">yes</o:Taken>' });
  const stage = await setStage({ plans: [{ ...plan({ answer }), webhook: WEBHOOK_USER }] });

  const reply = await stage.post('/webhooks/orders', {
    headers: { 'Content-Type': 'text/xml; charset=utf-8', 'X-Request-Id': 'order-4711' },
    body: envelope(orderXml()),
  });

  expect(reply.status).toBe(200);
  expect(reply.headers.get('content-type')).toMatch(/^text\/xml/);
  expect(await reply.text()).toContain('<o:Taken xmlns:o="urn:acme:orders">yes</o:Taken>');
  expect(stage.runtimeNode.messages).toMatchObject([{ messageId: 'order-4711' }]);
});

test.each([
  { fault: 'client', status: 422, name: 'rejected' },
  { fault: 'server', status: 502, name: 'bad-gateway' },
] as const)('a webhook’s caller gets a fault of the $fault as $status, without its words', async (expected) => {
  const answer = () => ({ fault: expected.fault, text: 'hunter22' });
  const stage = await setStage({ plans: [{ ...plan({ answer }), webhook: WEBHOOK_USER }] });

  const reply = await stage.post('/webhooks/orders', { body: envelope(orderXml()) });

  expect(reply.status).toBe(expected.status);
  const problem = await reply.text();
  expect(problem).toContain(`urn:problem-type:token-relay:${expected.name}`);
  expect(problem).not.toContain('hunter22');
});

describe('Umlauts arrive as they were sent,', () => {
  const related = (root: string) => `--b\r\nContent-Type: text/xml\r\n\r\n${root}\r\n--b\r\n\r\nJPEG\r\n--b--\r\n`;
  test.each([
    ['where the message’s own type names no charset', 'text/xml', (xml: string) => xml],
    ['where no type came with it', undefined, (xml: string) => xml],
    ['in a root part that names none', 'multipart/related; type="text/xml"; boundary=b', related],
  ])('umlauts arrive as they were sent, %s', async (_, contentType, bodyOf) => {
    const stage = await setStage({ plans: [plan()] });
    const xml = orderXml('Jürgen');
    stage.send(stage.orders, {
      body: bodyOf(envelope(xml)),
      ...(contentType === undefined ? {} : { attributes: { contentType } }),
    });

    await stage.poll();

    expect(stage.runtimeNode.messages).toMatchObject([{ status: 200, soap: { payload: xml } }]);
    expect(stage.tally()).toMatchObject({ left: 0, dead: 0 });
  });
});

describe('A payload without an envelope', () => {
  test.each(['1.1', '1.2'] as const)(
    'a payload without an envelope is wrapped in one of SOAP %s, byte for byte',
    async (soapVersion) => {
      const stage = await setStage({ plans: [plan({}, { soapWrap: true, soapVersion })] });
      const payload = `\n<!-- from the ERP -->${orderXml()}\n`;
      stage.send(stage.orders, {
        body: `<?xml version="1.0" encoding="UTF-8"?>${payload}`,
        attributes: { contentType: 'application/xml' },
      });

      await stage.poll();

      expect(stage.runtimeNode.messages).toMatchObject([{ status: 200, soap: { version: soapVersion, payload } }]);
      expect(stage.tally()).toMatchObject({ left: 0, dead: 0 });
    },
  );

  test('a payload without an envelope that is in ISO-8859-1 arrives with its umlauts', async () => {
    const stage = await setStage({ plans: [plan({}, { soapWrap: true })] });
    const xml = orderXml();
    const bytes = Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>${xml}`, 'latin1');
    stage.send(stage.orders, { body: bytes.toString('base64'), attributes: { bodyEncoding: 'base64' } });

    await stage.poll();

    expect(stage.runtimeNode.messages).toMatchObject([{ status: 200, soap: { payload: xml } }]);
  });

  test('a payload without XML goes to the dead-letter queue, and the endpoint never sees it', async () => {
    const stage = await setStage({ plans: [plan({}, { soapWrap: true })] });
    stage.send(stage.orders, { body: '{"order":"4711-hunter22"}' });

    await stage.poll();

    expect(stage.outcomes('outcome', 'executed', 'calls')).toEqual({ 'rejected no 0': 1 });
    expect(stage.attempts[0]?.reason).toContain('expected well-formed XML');
    expect(stage.tally()).toMatchObject({ calls: {}, left: 0, dead: 1 });
  });

  test.each([
    { soapVersion: '1.1', body: orderXml(), says: 'VersionMismatch: the payload is no SOAP envelope' },
    { soapVersion: '1.2', body: orderXml(), says: 'Receiver: the payload is no SOAP envelope' },
    { soapVersion: '1.1', body: envelope('<o><n></o>'), says: 'Server: the payload is not well-formed XML' },
    { soapVersion: '1.2', body: envelope('<o><n></o>', '1.2'), says: 'Receiver: the payload is not well-formed XML' },
  ])('a payload without an envelope is the endpoint’s to refuse where nothing is wrapped: $says', async (told) => {
    const { soapVersion, body, says } = told;
    const stage = await setStage({ plans: [plan({}, { soapVersion })] });
    stage.send(stage.orders, { body });

    await stage.poll();

    expect(stage.attempts).toMatchObject([{ outcome: 'rejected', status: 500 }]);
    expect(stage.attempts[0]?.reason).toContain(`with fault ${says}`);
    expect(stage.tally()).toMatchObject({ flowRuns: 0, left: 0, dead: 1 });
  });
});

describe('A fault', () => {
  const failing = (answer: Deployment['answer'], soap: Deployment['soap'] = {}) =>
    answer === undefined ? { soap } : { answer, soap };

  test.each([
    { version: '1.1', clientFaultStatus: 500 },
    { version: '1.2', clientFaultStatus: 400 },
    { version: '1.1', clientFaultStatus: 200 },
  ] as const)(
    'a fault of the client makes the message a dead letter, with status $clientFaultStatus too (SOAP $version)',
    async ({ version, clientFaultStatus }) => {
      const fault = { fault: 'client', text: 'Plant is unknown', detail: '<secret>hunter22</secret>' } as const;
      const stage = await setStage({
        plans: [
          plan(
            failing(() => fault, { clientFaultStatus }),
            { soapVersion: version },
          ),
        ],
      });
      stage.send(stage.orders, { body: envelope(orderXml(), version) });

      await stage.poll();

      const code = version === '1.1' ? 'Client' : 'Sender';
      const reason = `the endpoint answered ${clientFaultStatus} with fault ${code}: it will never take this message; the sender must correct it`;
      expect(stage.attempts).toMatchObject([{ outcome: 'rejected', executed: 'unknown', reason }]);
      expect(lettersOf(stage)).toMatchObject([{ reason, detail: 'Plant is unknown' }]);
      expect(stage.output.join('\n')).not.toMatch(/hunter22|Plant/);
    },
  );

  test('a fault of the server leaves the message in the queue, and the same one is accepted later', async () => {
    let failures = 0;
    const answer = () => (++failures === 1 ? ({ fault: 'server', text: 'Backend is down' } as const) : undefined);
    const stage = await setStage({ plans: [plan(failing(answer))] });
    const id = stage.send(stage.orders, { body: envelope(orderXml()) });

    await stage.poll();
    expect(stage.attempts).toMatchObject([
      {
        outcome: 'failed',
        executed: 'unknown',
        status: 500,
        reason: expect.stringContaining('fault Server: '),
      },
    ]);
    await stage.pollAgain();

    expect(stage.arrivals()).toEqual([id]);
    expect(stage.tally()).toMatchObject({ tokenRequests: [200], flowRuns: 2, left: 0, dead: 0 });
  });

  test('a fault of a flow that threw names the MPL id, which the log line then has', async () => {
    const stage = await setStage({ plans: [plan(failing(() => ({ exception: 'hunter22 is unknown' })))] });
    stage.send(stage.orders, { body: envelope(orderXml()) });

    await stage.poll();

    const [message] = stage.runtimeNode.messages;
    expect(stage.attempts).toMatchObject([{ outcome: 'failed', status: 500, mplId: message?.mplId }]);
    expect(stage.output.join('\n')).not.toContain('hunter22');
  });

  test('a fault of a one-way flow comes with Robust processing; with WS Standard it is unknown to all', async () => {
    const outcomes = [];
    for (const processing of ['robust', 'ws-standard'] as const) {
      const soap = { messageExchangePattern: 'one-way', processing } as const;
      const stage = await setStage({ plans: [plan(failing(() => 'exception', soap))] });
      stage.send(stage.orders, { body: envelope(orderXml()) });
      await stage.poll();
      const [message] = await stage.runtimeNode.waitForMessages(1);
      outcomes.push([stage.attempts[0]?.outcome, stage.attempts[0]?.status, message?.mplStatus]);
    }
    expect(outcomes).toEqual([
      ['failed', 500, 'FAILED'],
      ['delivered', 202, 'FAILED'],
    ]);
  });

  test('a fault that quotes the payload has its code in the log, and its text in the dead letter', async () => {
    const answer = ({ soap }: Received) =>
      ({ fault: 'client', text: `Cannot read ${soap?.payload ?? ''} of Mrs Kowalczyk` }) as const;
    const stage = await setStage({ plans: [plan(failing(answer))] });
    stage.send(stage.orders, { body: envelope(orderXml('Kowalczyk 4711')) });

    await stage.poll();

    expect(stage.attempts[0]?.reason).toMatch(/^the endpoint answered 500 with fault Client: it will never/);
    expect(stage.output.join('\n')).not.toMatch(/Kowalczyk|4711|Cannot read/);
    expect(lettersOf(stage)).toMatchObject([
      { detail: expect.stringMatching(/^Cannot read <.*>Kowalczyk 4711<.* of Mrs Kowalczyk$/) },
    ]);
  });

  test('a fault of the server to an envelope that is cut off makes a dead letter: no retry could help', async () => {
    const stage = await setStage({ plans: [plan()] });
    stage.send(stage.orders, { body: envelope(orderXml()).slice(0, -30) });

    await stage.poll();

    expect(stage.attempts).toMatchObject([
      {
        outcome: 'rejected',
        status: 500,
        reason: expect.stringContaining('with fault Server: the payload is XML that is cut off'),
      },
    ]);
    expect(stage.tally()).toMatchObject({ left: 0, dead: 1 });
  });

  test('a fault VersionMismatch asks the operator to correct the setting, and the message stays', async () => {
    const stage = await setStage({ plans: [plan({}, { soapVersion: '1.1' })] });
    stage.send(stage.orders, { body: envelope(orderXml(), '1.2') });

    await stage.poll();

    expect(stage.attempts).toMatchObject([
      { outcome: 'blocked', reason: expect.stringContaining('the operator must correct the setting "soapVersion"') },
    ]);
    expect(stage.tally()).toMatchObject({ flowRuns: 0, left: 1, dead: 0 });
  });
});

test('the address of a SOAP flow below /http/ is a 404: the operator must act', async () => {
  const stage = await setStage({ environment: 'cf', plans: [plan({}, { path: '/http/orders' })] });
  stage.send(stage.orders, { body: envelope(orderXml()) });

  await stage.poll();

  expect(stage.outcomes()).toEqual({ 'blocked 404 no 1': 1 });
});

test('a token that is rejected is replaced, and the very same envelope goes out again', async () => {
  const stage = await setStage({ plans: [plan()] });
  stage.send(stage.orders, { body: envelope(orderXml()) });
  await stage.poll();
  stage.authorizationServer.expireAllTokens();
  stage.send(stage.orders, { body: envelope(orderXml()) });

  await stage.poll();

  expect(stage.arrivals()).toHaveLength(2);
  expect(stage.tally()).toMatchObject({ tokenRequests: [200, 200], calls: { 'POST 200': 2, 'POST 401': 1 } });
});
