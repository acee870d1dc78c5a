/** Whether a host can be reached at all: its name, a connection, and TLS that this machine trusts. */
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ClientCertificate } from '../../../../functions/token/certificate.ts';
import { finding, fine, type Line } from '../line.ts';
import type { Looking } from '../looking.ts';

/** For a name, and for a connection. */
const PATIENCE_MS = 5_000;

/** @param group where the lines stand @returns one line; a finding if there is no use in calling the host */
export async function lookAtHost(
  url: URL,
  group: 'token' | 'endpoint',
  { signal }: Pick<Looking, 'signal'>,
  certificate?: ClientCertificate,
): Promise<Line> {
  const { hostname, host } = url;
  const address = hostname.replace(/^\[|\]$/g, '');
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  try {
    await within(lookup(address), patience);
  } catch (error) {
    return finding('host-not-found', `${hostname}: the name is not found (${codeOf(error)})`, group);
  }
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const isPlain = url.protocol === 'http:';
  const socket = isPlain
    ? connect({ host: address, port })
    : connectTls({ host: address, port, servername: /^[\d.:]+$/.test(address) ? '' : address, ...pairOf(certificate) });
  try {
    await once(socket, isPlain ? 'connect' : 'secureConnect', { signal: patience });
    const protocol = 'getProtocol' in socket ? socket.getProtocol() : undefined;
    return fine(group, 'host', `${host} is reached, ${protocol ?? 'without TLS, on loopback'}`);
  } catch (error) {
    signal.throwIfAborted();
    const code = codeOf(error);
    if (!isPlain && UNTRUSTED.test(code)) {
      return finding('tls-not-trusted', `${host}: its certificate is not trusted (${code})`, group);
    }
    if (!isPlain && certificate !== undefined && /^(ERR_SSL|EPROTO)/.test(code)) {
      return finding('certificate-refused', `${host} ends the TLS handshake (${code})`, group);
    }
    return finding('host-not-reached', `${host}: no connection (${code})`, group);
  } finally {
    socket.destroy();
  }
}

const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO|HOSTNAME|ALTNAME/;

function pairOf(certificate: ClientCertificate | undefined) {
  return certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key };
}

/** Name service has no end of its own that could be set. */
async function within<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    const fail = () => reject(signal.reason);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
  return Promise.race([work, aborted]);
}

function codeOf(error: unknown): string {
  const { code, name } = error as NodeJS.ErrnoException;
  return name === 'AbortError' || name === 'TimeoutError' ? `nothing within ${PATIENCE_MS / 1_000} s` : (code ?? name);
}
