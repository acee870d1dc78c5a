/**
 * Watches the landscape: turns what its parts tell into the lives of messages (`ledger.ts`), the requests that webhooks
 * refused, and the figures of the picture. Changes nothing.
 */
import type { GatewayEvent } from '../aws/http-api/http-api.ts';
import type { TriggerEvent } from '../aws/queue-trigger/queue-trigger.ts';
import type { SecretRead } from '../aws/secrets-manager/secrets-manager.ts';
import type { LocalDestination } from '../destination.ts';
import type { Fact } from '../facts/fact.ts';
import type { TokenRequestEntry } from '../sap/authorization-server/token-endpoint.ts';
import { sentHeaders } from '../sap/runtime-node/allowed-headers.ts';
import { serves } from '../sap/runtime-node/integration-flow.ts';
import type { CallEvent, RunEvent } from '../sap/runtime-node/runtime-node.ts';
import type { Fault, Request } from '../server/server.ts';
import { type Digest, digestsOf, digestsOfBody } from './digest.ts';
import { createLedger, type KnownQueue, type Ledger } from './ledger.ts';
import type { LifeAttempt, LifeCall, LifeEvent, RefusedRequest } from './message.ts';

const MOST_REFUSED = 500;
/** What others caused, kept for the lives of the messages that it served. */
const MOST_SHARED = 400;
/** Invocations for queues of which the end or a line of the log is still to come. */
const MOST_BATCHES = 100;
/** A line of the log is written up to so long after what it tells of. */
const LINE_LATE_MS = 50;

export interface TokenFact {
  readonly client: string;
  readonly issuedAt: number;
  /** Absent: its life has no end. */
  readonly expiresAt?: number;
}

export interface Counts {
  readonly secretReads: number;
  readonly tokenRequests: number;
  readonly tokensRefused: number;
  readonly calls: number;
  /** Of the calls: those that were answered 401. */
  readonly unauthorized: number;
  /** Runs of a flow that ended well. */
  readonly arrivals: number;
  readonly webhookRequests: number;
}

export interface Watch {
  /** For `startLandscape`. */
  report(fact: Fact): void;
  readonly ledger: Ledger;
  readonly counts: Counts;
  /** The newest token of each client. */
  readonly tokens: readonly TokenFact[];
  /** Newest last. */
  readonly refused: readonly RefusedRequest[];
  /** Calls `listener` after each fact, until the returned function is called. */
  onFact(listener: () => void): () => void;
}

type Shared = { readonly destinations: readonly string[]; readonly event: LifeEvent };
/** A request that a webhook has not yet answered. */
interface Open extends Extract<GatewayEvent, { what: 'arrived' }> {
  readonly digests: readonly Digest[];
  /** The flow ran on it under an id that is not the message's own, as at SAP RM; the log tells that one. */
  ran?: boolean;
}
type Line = Readonly<Record<string, unknown>>;

/** One invocation for a queue, until it is known which of its messages were not tried, and why. */
interface Batch {
  readonly attempted: Set<string>;
  readonly postponed: Map<string, number>;
  /** SQS's ids of what the queue keeps; undefined while it is not over. */
  kept?: readonly string[];
  at: number;
}

/** What the relay wrote in one invocation that a webhook caused. */
interface Told {
  /** Of the message that came of it. */
  readonly messageId?: string;
  readonly refusal?: Pick<RefusedRequest, 'destination' | 'verify' | 'why'>;
}

/** @param destinations those that are connected by now */
export function createWatch(destinations: () => readonly LocalDestination[]): Watch {
  const ledger = createLedger();
  const counts = {
    secretReads: 0,
    tokenRequests: 0,
    tokensRefused: 0,
    calls: 0,
    unauthorized: 0,
    arrivals: 0,
    webhookRequests: 0,
  };
  const tokens = new Map<string, TokenFact>();
  const refused: RefusedRequest[] = [];
  const shared: Shared[] = [];
  const waiting = new Map<string, Open>();
  /** Message of a run whose call is not yet told. */
  const ran = new Map<string, number>();
  const batches = new Map<string, Batch>();
  const told = new Map<string, Told>();
  const listeners = new Set<() => void>();
  let refusals = 0;

  function queueOf(name: string): KnownQueue | undefined {
    for (const { name: destination, queue, deadLetterQueue } of destinations()) {
      if (queue.name === name) return { destination, deadLetters: false };
      if (deadLetterQueue.name === name) return { destination, deadLetters: true };
    }
    return undefined;
  }

  function share(those: (destination: LocalDestination) => boolean, event: LifeEvent): void {
    shared.push({
      destinations: destinations()
        .filter(those)
        .map(({ name }) => name),
      event,
    });
    if (shared.length > MOST_SHARED) shared.shift();
  }

  function onTokenRequest({
    at,
    clientId: client = '(none)',
    status,
    expiresAt,
    refusal: why,
  }: TokenRequestEntry): void {
    const ends = expiresAt === undefined ? {} : { expiresAt };
    counts.tokenRequests += 1;
    if (status === 200) tokens.set(client, { client, issuedAt: at, ...ends });
    else counts.tokensRefused += 1;
    const reason = why === undefined ? {} : { why };
    share(({ clientId }) => clientId === client, { at, what: 'token request', client, status, ...ends, ...reason });
  }

  function onSecretRead({ at, secretId, status }: SecretRead): void {
    counts.secretReads += 1;
    share(({ secret }) => secret === secretId, { at, what: 'secret read', secret: secretId, status });
  }

  function onRun({ flow, messageId: id, mplId, body, status, mplStatus, inBatch }: RunEvent): void {
    if (status < 300 && mplStatus === 'COMPLETED') counts.arrivals += 1;
    // Of a batch only all together are the message.
    const key = inBatch ? undefined : arrived(flow, id, body, status);
    if (key !== undefined) ran.set(mplId, key);
  }

  function arrived(flow: string, id: string | undefined, body: Uint8Array, status: number): number | undefined {
    const found = destinations().find((one) => one.flow.name === flow);
    if (found === undefined) return undefined;
    const { name: destination, settings } = found;
    const digests = digestsOfBody(body, settings);
    if (settings.adapter !== 'soap-rm') directly(destination, id, digests);
    const key = ledger.arrived({ destination, id, digests, status });
    const request = key === undefined && status < 300 ? waitingFor(destination, digests) : undefined;
    if (request !== undefined) request.ran = true;
    return key;
  }

  function onCall(event: CallEvent): void {
    const { at, answeredAt, method, path, status, headers, flowRan, mplIds, messageId: id, body, why } = event;
    counts.calls += 1;
    if (status === 401) counts.unauthorized += 1;
    const destination = destinations().find(({ flow }) => flow.name === event.flow);
    if (destination === undefined) return;
    const call = {
      method,
      path,
      status,
      headers,
      executed: flowRan,
      mplIds,
      durationMs: answeredAt - at,
      ...(why === undefined ? {} : { why }),
    };
    const carries = event.csrf === 'fetch' ? 'csrf' : 'message';
    const key = mplIds.map((mplId) => ran.get(mplId)).find((known) => known !== undefined);
    for (const mplId of mplIds) ran.delete(mplId);
    if (key === undefined) record(destination, at, { id, body }, { ...call, carries });
    else ledger.event(key, { at, what: 'call', ...call, carries });
    if (event.isBatchDone) arrived(destination.flow.name, id, body, status);
  }

  function onFault({ at, request, fault }: { at: number; request: Request; fault: Fault }): void {
    counts.calls += 1;
    const found = destinations().find(({ flow }) => serves({ sender: 'https', ...flow }, request.path));
    if (found === undefined) return;
    const { method, path } = request;
    record(
      found,
      at,
      { id: request.headers.sap_applicationid, body: request.body },
      {
        method,
        path,
        carries: request.headers['x-csrf-token']?.toLowerCase() === 'fetch' ? 'csrf' : 'message',
        headers: sentHeaders(request, found.flow.allowedHeaders ?? []),
        executed: false,
        mplIds: [],
        ...outcomeOf(fault),
      },
    );
  }

  function record(
    { name: destination, settings }: LocalDestination,
    at: number,
    { id, body }: { id: string | undefined; body: Uint8Array },
    call: LifeCall,
  ): void {
    if (call.carries === 'csrf') {
      share(({ name }) => name === destination, { at, what: 'call', ...call });
      return;
    }
    const digests = digestsOfBody(body, settings);
    if (settings.adapter !== 'soap-rm') directly(destination, id, digests);
    ledger.call(at, { destination, id, digests }, call);
  }

  /** A message that no queue has seen belongs to a request that a webhook has not yet answered. */
  function directly(destination: string, id: string | undefined, digests: readonly Digest[]): void {
    if (id === undefined || ledger.newestOf(id) !== undefined) return;
    const request = waitingFor(destination, digests);
    if (request === undefined) return;
    ledger.direct({ destination, id, at: request.at, bytes: request.body.byteLength, digests: request.digests });
  }

  function waitingFor(
    destination: string,
    digests?: readonly Digest[],
    isIt: (request: Open) => boolean = () => true,
  ): Open | undefined {
    for (const request of waiting.values()) {
      if (nameOf(request) !== destination || !isIt(request)) continue;
      if (digests === undefined || request.digests.some((one) => digests.includes(one))) return request;
    }
    return undefined;
  }

  function onGateway(event: GatewayEvent): void {
    if (event.what === 'arrived') {
      counts.webhookRequests += 1;
      waiting.set(event.id, { ...event, digests: digestsOf(event.body) });
      return;
    }
    const request = waiting.get(event.id);
    waiting.delete(event.id);
    const { messageId, refusal } = told.get(event.invocation ?? '') ?? {};
    told.delete(event.invocation ?? '');
    if (request === undefined) return;
    const { at, method, path } = request;
    const key = messageId === undefined ? undefined : ledger.byWebhook(messageId, at);
    if (key !== undefined) ledger.event(key, { at, what: 'webhook', method, path, status: event.status });
    if (key !== undefined || event.status < 400) return;
    const why = refusal?.why ?? detailOf(event.body ?? '');
    refused.push({ at, method, path, status: event.status, ...refusal, why, key: ++refusals });
    if (refused.length > MOST_REFUSED) refused.shift();
  }

  /** The log says how many were not tried, and not which: they are those that are kept, and have no attempt. */
  function batchOf(invocation: string, at: number): Batch {
    const known = batches.get(invocation);
    if (known !== undefined) return known;
    const batch: Batch = { attempted: new Set(), postponed: new Map(), at };
    batches.set(invocation, batch);
    const [oldest] = batches.keys();
    if (batches.size > MOST_BATCHES && oldest !== undefined) batches.delete(oldest);
    return batch;
  }

  function settle(invocation: string, { kept, attempted, postponed, at }: Batch): void {
    if (kept === undefined) return;
    const untried = kept.filter((record) => !attempted.has(ledger.idOf(record) ?? ''));
    if (sumOf(postponed.values()) < untried.length) return;
    batches.delete(invocation);
    ledger.postponed(untried, at, [...postponed.keys()].join('; or '));
  }

  function onOver({ at, batch, kept, error, invocation = '' }: Extract<TriggerEvent, { what: 'over' }>): void {
    ledger.over(batch, error === undefined ? undefined : { at, text: error });
    if (error !== undefined || kept.length === 0) batches.delete(invocation);
    else settle(invocation, Object.assign(batchOf(invocation, at), { kept }));
  }

  function onPostponed(invocation: string, { reason, messages, timestamp }: Line, lineAt: number): void {
    const batch = batchOf(invocation, lineAt);
    batch.at = Date.parse(text(timestamp) ?? '') || lineAt;
    batch.postponed.set(text(reason) ?? 'no reason', Number(messages));
    settle(invocation, batch);
  }

  function onLine(line: string, at: number): void {
    if (!line.startsWith('{')) return;
    const fields = parse(line);
    const invocation = text(fields.function_request_id) ?? '';
    const destination = text(fields.destination);
    const messageId = text(fields.messageId);
    const byWebhook = text(fields.function_name)?.endsWith('-webhook') ?? false;
    const tell = (more: Told): void => {
      if (byWebhook) told.set(invocation, { ...told.get(invocation), ...more });
    };
    switch (fields.message) {
      case 'delivery.attempted':
        if (destination === undefined || messageId === undefined) break;
        onAttempt(fields as never, Date.parse(text(fields.timestamp) ?? '') || at, byWebhook);
        tell({ messageId });
        if (!byWebhook && fields.outcome !== 'delivered') {
          const batch = batchOf(invocation, at);
          batch.attempted.add(messageId);
          settle(invocation, batch);
        }
        break;
      case 'delivery.postponed':
        onPostponed(invocation, fields, at);
        break;
      case 'webhook.queued':
        if (messageId !== undefined) tell({ messageId });
        break;
      case 'webhook.turned-away':
        tell({ refusal: refusalOf(fields) });
        break;
      case 'webhook.not-queued':
      case 'webhook.unavailable':
        tell({ refusal: refusalOf({ ...fields, why: `${fields.message}: ${fields.reason}` }) });
        break;
    }
  }

  function onAttempt(
    line: LifeAttempt & { destination: string; messageId: string; bytes: number },
    at: number,
    byWebhook: boolean,
  ): void {
    const { destination, messageId: id, bytes, durationMs } = line;
    if (byWebhook && ledger.newestOf(id) === undefined) {
      const isTold = ({ body, ran = false }: Open) =>
        body.byteLength === bytes && ran === (line.outcome === 'delivered');
      const request = waitingFor(destination, undefined, isTold) ?? waitingFor(destination);
      ledger.direct({
        destination,
        id,
        bytes,
        at: request?.at ?? at - durationMs,
        digests: request?.digests,
      });
      if (request?.ran === true) ledger.arrived({ destination, id, digests: request.digests, status: 200 });
    }
    const key = ledger.attempt(line, at, byWebhook);
    if (key === undefined) return;
    for (const { destinations: served, event } of shared) {
      const isWithin = event.at >= at - durationMs - 1 && event.at <= at + LINE_LATE_MS;
      if (isWithin && served.includes(destination)) ledger.event(key, event);
    }
  }

  function take(fact: Fact): void {
    switch (fact.of) {
      case 'queue': {
        const { event } = fact;
        const known = queueOf(event.queue);
        if (known !== undefined) ledger.queue(event, known, event.what === 'redriven' ? queueOf(event.to) : undefined);
        break;
      }
      case 'trigger': {
        const { event } = fact;
        if (event.what === 'begun') ledger.begun(event.batch);
        else onOver(event);
        break;
      }
      case 'gateway':
        onGateway(fact.event);
        break;
      case 'secrets-manager':
        onSecretRead(fact.event);
        break;
      case 'authorization-server':
        onTokenRequest(fact.event);
        break;
      case 'runtime-node':
        if (fact.event.what === 'run') onRun(fact.event);
        else onCall(fact.event);
        break;
      case 'fault':
        onFault(fact.event);
        break;
      case 'function':
        onLine(fact.event.line, fact.event.at);
        break;
    }
  }

  return {
    report(fact) {
      take(fact);
      for (const listener of listeners) listener();
    },
    ledger,
    counts,
    get tokens() {
      return [...tokens.values()];
    },
    refused,
    onFact: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function sumOf(numbers: Iterable<number>): number {
  return [...numbers].reduce((sum, number) => sum + number, 0);
}

function nameOf({ path }: Open): string {
  return path.split('/').at(-1) ?? '';
}

/** What the client saw of it. */
function outcomeOf(fault: Fault): Pick<LifeCall, 'fault' | 'status'> {
  if (typeof fault === 'object') {
    const { status } = 'early' in fault ? fault.early : fault;
    return { status, fault: 'answered by the landscape in the flow’s place' };
  }
  const words = {
    'reset-before': 'connection cut before the call was handled',
    'reset-after': 'handled, then the connection was cut without an answer',
    'half-answer': 'handled, then the answer was cut in the middle',
    hang: 'handled, and never answered',
  };
  return { fault: words[fault] };
}

function refusalOf({ destination, verify, why }: Line): NonNullable<Told['refusal']> {
  return {
    ...(typeof destination === 'string' && destination !== 'unknown' ? { destination } : {}),
    ...(typeof verify === 'string' ? { verify } : {}),
    why: typeof why === 'string' ? why : 'there is no webhook of this name',
  };
}

/** Of a problem (RFC 9457) or of API Gateway's own words. */
function detailOf(body: string): string {
  const { detail, title, message } = body.startsWith('{') ? parse(body) : {};
  return text(detail) ?? text(title) ?? text(message) ?? 'no reason was given';
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function parse(line: string): Line {
  try {
    const json: unknown = JSON.parse(line);
    return typeof json === 'object' && json !== null ? { ...json } : {};
  } catch (error) {
    // Whatever a process prints may look like the beginning of JSON.
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
