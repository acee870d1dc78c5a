/** One message through one sender adapter: the bytes that its call has on the wire, and what an answer to it means. */
import { RelayError } from '../../functions/error.ts';
import { createHttpClient, type HttpAnswer, type HttpRequest, type Send } from '../../functions/http/http.ts';
import type { Message } from '../../functions/message/message.ts';
import { adapterOf } from '../../functions/relay/adapter/adapters.ts';
import { createEndpointToken } from '../../functions/relay/endpoint-token.ts';
import type { Outcome } from '../../functions/relay/outcome.ts';
import { type Attempt, relay } from '../../functions/relay/relay.ts';
import type { Destination } from '../../functions/settings/destination.ts';
import { readSettings } from '../../functions/settings/settings.ts';
import type { Token } from '../../functions/token/token-endpoint.ts';
import { warm } from '../../functions/warm/warm.ts';
import { answer } from '../doubles/answer.ts';
import { NOT_LISTENING } from '../doubles/call-listeners.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { messageOf } from '../doubles/message.ts';
import { NOON } from '../doubles/time.ts';
import { tokenOf } from '../doubles/token.ts';
import { reply, startWire } from '../http/wire.ts';

const HOST = 'https://flows.example.com';

/** A destination as an operator writes it. @throws RelayError if it is wrong */
export function destinationWith(settings: object): Destination {
  const written = { secret: 'cpi/orders', url: `${HOST}/http/orders`, ...settings };
  const read = readSettings({ DESTINATIONS: JSON.stringify({ orders: written }) }).destinations.get('orders');
  if (read === undefined || 'error' in read) throw read?.error ?? new Error('no destination');
  return read;
}

/** A payload of these bytes, and the message around it. */
export function message(payload: string | Buffer, fields: Partial<Message> = {}): Message {
  return messageOf(fields, payload);
}

/** A call as it stands on the wire, but for the host and how long the connection is kept. */
export interface Sent {
  /** Request line. */
  readonly line: string;
  /** In their order, `Name: value`. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** Sends a message over a real connection. @param path of the destination's URL, its query included */
export async function sent(path: string, settings: object, what: Message, token: Token = tokenOf('t0ken')) {
  const calls: Sent[] = [];
  const wire = await startWire(({ head, body, socket }) => {
    const [line = '', ...headers] = head.split('\r\n');
    const own = headers.filter((header) => !/^(host|connection):/i.test(header));
    calls.push({ line: line.replace(' HTTP/1.1', ''), headers: own, body: body.toString('latin1') });
    socket.write(reply('', line.startsWith('HEAD') ? 'X-CSRF-Token: abc\r\nSet-Cookie: SESSION=1; Path=/\r\n' : ''));
  });
  const destination = destinationWith({ url: new URL(path, wire.url).href, ...settings });
  const adapter = adapterOf({ destination, send: createHttpClient() });
  await adapter.exchange(what, token, deadlineOf(), NOT_LISTENING);
  return calls;
}

/** The one call of a message. */
export async function onWire(path: string, settings: object, what: Message): Promise<Sent> {
  const [call, more] = await sent(path, settings, what);
  if (call === undefined || more !== undefined) throw new Error('expected one call');
  return call;
}

/** Relays a message to an endpoint that gives these answers, the last of them for ever. */
export async function attempt(
  settings: object,
  answers: readonly HttpAnswer[],
  what: Message = message(''),
  token: Token = tokenOf('t0ken'),
): Promise<Attempt & { readonly requests: readonly HttpRequest[] }> {
  const requests: HttpRequest[] = [];
  const left = [...answers];
  const send: Send = async (request) => {
    requests.push(request);
    return (left.length > 1 ? left.shift() : left[0]) ?? answer(500);
  };
  const adapter = adapterOf({ destination: destinationWith(settings), send });
  let minted = 0;
  const tokens = warm({
    load: async () => {
      minted += 1;
      return { ...token, accessToken: `${token.accessToken}-${minted}` };
    },
  });
  const now = () => NOON;
  const attempted = await relay(what, { token: createEndpointToken(tokens, now), adapter, now }, deadlineOf());
  return { ...attempted, requests };
}

/** What one answer means for a message; a token is never in doubt. */
export async function outcome(settings: object, one: HttpAnswer, what?: Message): Promise<Outcome> {
  return (await attempt({ csrf: false, ...settings }, [one], what)).outcome;
}

/** Of an outcome that is none of `delivered`. */
export function reasonOf(judged: Outcome): string {
  if (judged.kind === 'delivered') throw new Error('expected an outcome with a reason');
  return judged.reason;
}

/** Why a message cannot go out. */
export async function refusal(settings: object, what: Message): Promise<RelayError> {
  const adapter = adapterOf({ destination: destinationWith(settings), send: async () => answer(200) });
  const thrown: unknown = await adapter.exchange(what, tokenOf('t'), deadlineOf(), NOT_LISTENING).catch((e) => e);
  if (!(thrown instanceof RelayError)) throw new Error('expected a refusal of ours', { cause: thrown });
  return thrown;
}
