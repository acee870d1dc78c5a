/**
 * The process of the servers: Secrets Manager, authorization server and endpoint, each on TLS and a port of its own,
 * and a plain port on which the bench counts, revokes and turns the clock. Tells its addresses to the process that
 * started it.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createCertificateAuthority } from '../../../infra/local/server/certificates.ts';
import { startHttpServer } from './http-server.ts';
import { createServices } from './services.ts';

/** What the parent gets. */
export interface Addresses {
  readonly caPem: string;
  readonly secretsManager: string;
  readonly tokenEndpoint: string;
  readonly endpoint: string;
  readonly control: string;
}

const authority = createCertificateAuthority({ keyType: 'ec' });
const certificate = authority.serverCertificate();
let delayMs = 0;
let tokenUrl = '';
const services = createServices(() => tokenUrl);
const start = (respond: Parameters<typeof startHttpServer>[1]) => startHttpServer(certificate, respond, () => delayMs);

const [secretsManager, tokenEndpoint, endpoint] = await Promise.all([
  start(services.secretsManager),
  start(services.tokenEndpoint),
  start(services.endpoint),
]);
tokenUrl = `${tokenEndpoint}/oauth/token`;

/**
 * The sender of a message pays for waking up a process that sleeps, and a slow sender more often than a fast one: so
 * the servers do not sleep while CPU is measured message by message. At a cold start it would take the other core's
 * time.
 */
let isAwake = false;
function stayAwake(): void {
  if (isAwake) setImmediate(stayAwake);
}

const actions: Readonly<Record<string, (query: URLSearchParams) => unknown>> = {
  '/counts': services.takeCounts,
  '/issue': services.issue,
  '/revoke': () => services.revoke(),
  '/clock': (query) => services.shiftClock(Number(query.get('shiftMs'))),
  '/awake': (query) => {
    isAwake = query.get('on') === 'true';
    stayAwake();
  },
  '/delay': (query) => {
    delayMs = Number(query.get('ms'));
  },
};
const control = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
  const action = actions[pathname];
  response.statusCode = action === undefined ? 404 : 200;
  response.end(JSON.stringify(action?.(searchParams) ?? {}));
});
await new Promise<void>((resolve) => control.listen(0, '127.0.0.1', resolve));

const addresses: Addresses = {
  caPem: authority.caPem,
  secretsManager,
  tokenEndpoint,
  endpoint,
  control: `http://127.0.0.1:${(control.address() as AddressInfo).port}`,
};
process.send?.(addresses);
// Not to outlive the bench, however that ends.
process.on('disconnect', () => process.exit(0));
