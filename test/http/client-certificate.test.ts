/**
 * Calls over mutual TLS: the certificate goes with the request that bears it, and sockets are never lent to another.
 */
import { createServer, type ServerOptions } from 'node:https';
import { setDefaultCACertificates } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createHttpClient, type HttpRequest } from '../../functions/http/http.ts';
import { createCertificateAuthority, describeCertificate } from '../../infra/local/server/certificates.ts';
import { type Request, startServer } from '../../infra/local/server/server.ts';
import { failureOf, payload, post } from './call.ts';

const authority = createCertificateAuthority({ keyType: 'ec' });
const stranger = createCertificateAuthority({ keyType: 'ec', name: 'Stranger' });
// As NODE_EXTRA_CA_CERTS does at the start of a process; the client itself takes no authority.
setDefaultCACertificates([authority.caPem]);

const certificateOf = (commonName: string, by = authority): { cert: string; key: string } => {
  const { certificate, key } = by.clientCertificate({ commonName });
  return { cert: certificate, key };
};

/** A server that asks for a certificate, and notes whose it is shown. */
async function start(tls: ServerOptions = { rejectUnauthorized: false }) {
  const seen: (string | undefined)[] = [];
  const server = await startServer(
    ({ clientCertificate }: Request) => {
      const { subject } = clientCertificate === undefined ? {} : describeCertificate(clientCertificate);
      seen.push(/CN=([^,]+)/.exec(subject ?? '')?.[1]);
      return { status: 200 };
    },
    { tls: { ...authority.serverCertificate(), ca: authority.caPem, requestCert: true, ...tls } },
  );
  onTestFinished(() => server.stop());
  const call = (fields: Partial<HttpRequest> = {}) => post(`${server.url}/http/orders`, fields);
  return { seen, call };
}

/** A server that counts its connections. */
async function startCounting() {
  const sockets = { made: 0 };
  const tls = { ...authority.serverCertificate(), ca: authority.caPem, requestCert: true, rejectUnauthorized: false };
  const server = createServer(tls, (incoming, outgoing) => incoming.resume().on('end', () => outgoing.end()));
  server.on('secureConnection', () => {
    sockets.made += 1;
  });
  server.on('connection', (socket) => onTestFinished(() => void socket.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  return { server: `https://127.0.0.1:${address.port}/http/orders`, sockets };
}

describe('A certificate', () => {
  test('a client certificate is shown with the request that has it, and with no other', async () => {
    const { seen, call } = await start();
    const send = createHttpClient();
    const [one, two] = [certificateOf('one'), certificateOf('two')];
    for (const certificate of [one, undefined, two, one, undefined]) {
      expect((await send(call(certificate === undefined ? {} : { certificate }))).status).toBe(200);
    }
    expect(seen).toEqual(['one', undefined, 'two', 'one', undefined]);
  });

  test('a client certificate is shown where many calls go out at once, each with its own', async () => {
    const { seen, call } = await start();
    const send = createHttpClient();
    const certificates = ['one', 'two', 'three'].map((name) => certificateOf(name));
    await Promise.all(
      Array.from({ length: 30 }, (_, index) => {
        const certificate = certificates[index % 3];
        return send(call(certificate === undefined ? {} : { certificate, body: payload(`${index}`) }));
      }),
    );
    for (const name of ['one', 'two', 'three']) expect(seen.filter((shown) => shown === name)).toHaveLength(10);
  });

  test('a client certificate has a socket that is kept for it, as long as it is the same object', async () => {
    const { server, sockets } = await startCounting();
    const send = createHttpClient();
    const [one, again] = [certificateOf('one'), certificateOf('one')];
    for (const certificate of [one, one, undefined, undefined, again, one]) {
      await send(post(server, certificate === undefined ? {} : { certificate }));
    }
    expect(sockets.made).toBe(3);
  });

  test('a client certificate that the other side refuses ends the call, and the next may show another', async () => {
    const { seen, call } = await start({ rejectUnauthorized: true });
    const send = createHttpClient();
    const error = await failureOf(send(call({ certificate: certificateOf('orders', stranger) })));
    expect(error.code).toBe('CONNECTION_FAILED');
    expect(error.message).toMatch(/: no answer \([A-Z_0-9]+\)$/);
    expect((await send(call({ certificate: certificateOf('orders') }))).status).toBe(200);
    expect(seen).toEqual(['orders']);
  });

  test('a client certificate whose key is another’s ends the call before anything is sent', async () => {
    const { seen, call } = await start();
    const certificate = { cert: certificateOf('one').cert, key: certificateOf('two').key };
    const sending = createHttpClient()(call({ certificate }));
    await expect(sending).rejects.toThrow();
    expect(seen).toEqual([]);
  });
});

test('a server of an authority that we do not trust gets nothing of the request', async () => {
  let handled = 0;
  const server = await startServer(
    () => {
      handled += 1;
      return { status: 200 };
    },
    { tls: stranger.serverCertificate() },
  );
  onTestFinished(() => server.stop());
  const error = await failureOf(createHttpClient()(post(`${server.url}/http/orders?key=hunter22`)));
  expect(error).toMatchObject({ code: 'CONNECTION_FAILED', executed: 'no' });
  expect(error.message).toMatch(/: no answer \([A-Z_]+\)$/);
  expect(handled).toBe(0);
});
