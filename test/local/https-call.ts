/**
 * One HTTPS call as a sender makes it: it trusts the landscape's authority and presents a certificate if it has one.
 */
import { type Agent, request } from 'node:https';

export interface HttpsCall {
  readonly ca: string;
  /** What the client presents. */
  readonly client?: { readonly certificate: string; readonly key: string } | undefined;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Default: a connection of its own. */
  readonly agent?: Agent;
}

export interface HttpsReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Rejects when there is no connection or no answer. */
export function httpsCall(url: string, options: HttpsCall): Promise<HttpsReply> {
  const { ca, client, method = 'POST', headers = {}, body = '', agent } = options;
  const presented = client === undefined ? {} : { cert: client.certificate, key: client.key };
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: agent ?? false, ca, ...presented }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.once('error', reject);
      incoming.once('end', () => {
        const { statusCode = 0, headers: received } = incoming;
        resolve({ status: statusCode, headers: received, body: Buffer.concat(chunks).toString() });
      });
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

/** The token request of a client with a certificate: no secret in it. */
export function tokenForm(clientId: string, more: Readonly<Record<string, string>> = {}) {
  return {
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, ...more }).toString(),
  };
}
