/** The way of a destination's messages to SAP, from the secret to the flow: each step needs the one before. */
import type { Destination } from '../../../functions/settings/destination.ts';
import type { Credentials } from '../../../functions/token/credentials.ts';
import type { Token } from '../../../functions/token/token-endpoint.ts';
import { lookAtCertificate } from './groups/certificate.ts';
import { lookAtAddress, lookAtEndpoint } from './groups/endpoint.ts';
import { lookAtHost } from './groups/host.ts';
import { type SentMessage, sendMessage } from './groups/message.ts';
import { lookAtSecret } from './groups/secret.ts';
import { type LookedAtToken, lookAtToken } from './groups/token.ts';
import type { SeenLetters } from './letters.ts';
import { dependent, type Line, notChecked } from './line.ts';
import type { Looking } from './looking.ts';

export interface Way {
  readonly lines: readonly Line[];
  readonly credentials?: Pick<Credentials, 'clientId' | 'environment' | 'tokenUrl'>;
  /** Of the endpoint, where it could be told. */
  readonly url?: URL;
  readonly sent?: SentMessage;
}

/** What is known of one destination when it was looked at. */
export interface Examined extends Way {
  readonly destination: Destination;
  readonly deadLetters?: SeenLetters;
}

/** @param payload to be sent. Absent: nothing is sent */
export async function examineWay(
  destination: Destination,
  payload: Buffer | undefined,
  looking: Looking,
): Promise<Way> {
  const ofSecret = await lookAtSecret(destination, looking);
  const noMessage = (why: string) => (payload === undefined ? [] : [dependent('message', 'message', why)]);
  if (ofSecret.read === undefined) {
    const rest = [
      dependent('token', 'token', 'there are no credentials'),
      dependent('endpoint', 'endpoint', 'there is no token'),
    ];
    return { lines: [...ofSecret.lines, ...rest, ...noMessage('there are no credentials')] };
  }
  const { credentials, secret } = ofSecret.read;
  const ofCertificate = certificateOf(credentials, looking);
  const ofToken = ofCertificate.some(({ id }) => id === 'certificate-expired')
    ? { lines: [dependent('token', 'token', 'the certificate has expired')] }
    : await accessTo(destination, credentials, looking);
  looking.signal.throwIfAborted();
  const address = lookAtAddress(destination, credentials.serviceUrl);
  const lines = [...ofSecret.lines, ...ofCertificate, ...ofToken.lines, ...address.lines];
  const known = { credentials, ...(address.url === undefined ? {} : { url: address.url }) };
  if (address.url === undefined || ofToken.token === undefined) {
    const why = address.url === undefined ? 'its address is not known' : 'there is no token';
    return { ...known, lines: [...lines, dependent('endpoint', 'endpoint', why), ...noMessage(why)] };
  }
  lines.push(...(await lookAtEndpoint(destination, address.url, ofToken.token, credentials, looking)));
  looking.signal.throwIfAborted();
  if (payload === undefined) return { ...known, lines };
  const sent = await sendMessage(destination, payload, secret, looking);
  looking.signal.throwIfAborted();
  return { ...known, lines: [...lines, sent.line], sent };
}

function certificateOf({ clientAuthentication }: Credentials, { now }: Looking): Line[] {
  return 'certificate' in clientAuthentication ? lookAtCertificate(clientAuthentication.certificate, now()) : [];
}

/** A token, or the certificate itself where the endpoint takes that. */
async function accessTo(destination: Destination, credentials: Credentials, looking: Looking): Promise<LookedAtToken> {
  const { clientAuthentication, tokenUrl, serviceUrl } = credentials;
  const certificate = 'certificate' in clientAuthentication ? clientAuthentication.certificate : undefined;
  if (destination.authentication === 'certificate' && certificate !== undefined) {
    const token: Token = {
      accessToken: '',
      certificate,
      issuedAt: looking.now(),
      expiresAt: certificate.validUntil,
      expiryKnown: true,
      ...(serviceUrl === undefined ? {} : { serviceUrl }),
    };
    return {
      lines: [notChecked('token', 'token', 'none is needed: the endpoint takes the certificate itself')],
      token,
    };
  }
  const host = await lookAtHost(new URL(tokenUrl), 'token', looking, certificate);
  if (host.result !== 'ok') return { lines: [host, dependent('token', 'token', 'its host was not reached')] };
  const { lines, ...token } = await lookAtToken(destination, credentials, looking);
  return { ...token, lines: [host, ...lines] };
}
