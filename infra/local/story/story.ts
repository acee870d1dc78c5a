/**
 * The main job, told: orders through a queue, a webhook, a rotation of the signing key, an order that the flow refuses for
 * good until its developer mends it and the letter is put back, an outage that heals, a message through each sender adapter. Sends realistic payloads, waits until they have
 * arrived, and says in a row each what came of it. Prints; decides nothing.
 */
import { createHash, randomUUID } from 'node:crypto';
import { waitForMessages } from '../aws/sqs/sqs.ts';
import type { Deployed, LocalDestination } from '../landscape.ts';
import { replayLetters } from '../page/replay.ts';
import { PAYLOADS, type Payload, REFUSED, STOCK_REQUEST } from './payloads.ts';
import type { Sending } from './sender-adapters.ts';
import { bold, hasArrived, mark, missing, row, type Sent, type Telling } from './table.ts';

export interface Stage extends Telling {
  readonly deployed: Deployed;
  /** Its webhook is queued. */
  readonly orders: LocalDestination;
  /** Its webhook is direct. */
  readonly stock: LocalDestination;
  /** One for each sender adapter but HTTPS. */
  readonly sendings: readonly Sending[];
  /** Aborts when nobody listens any more. */
  readonly signal: AbortSignal;
  readonly webhookUser: { readonly username: string; readonly password: string };
}

const BATCH = ['idoc', 'json', 'json', 'pdf', 'json', 'idoc', 'json', 'json', 'idoc', 'json'] as const;

/** @returns whether every message was delivered, counted at the runtime node by id and SHA-256, and no dead letter is left */
export async function tellStory(stage: Stage): Promise<boolean> {
  const { landscape, orders, print } = stage;
  const { authorizationServer } = landscape;
  const sent: Sent[] = [];
  let chapters = 0;

  /** A part of the story, and in its row what came of it. */
  async function chapter(title: string, play: () => Promise<readonly Sent[]>, told: () => string = () => '') {
    const requestsBefore = authorizationServer.tokenRequests.length;
    const own = await play();
    sent.push(...own);
    const tokens = authorizationServer.tokenRequests.length - requestsBefore;
    const arrived = own.filter((message) => hasArrived(landscape, message)).length;
    const facts = [
      told(),
      own.length === 0 ? '' : `${arrived} delivered`,
      tokens === 0 ? '' : `${tokens} token${tokens === 1 ? '' : 's'}`,
    ];
    chapters += 1;
    print(row(arrived === own.length, `${chapters}  ${title}`, facts.filter((fact) => fact !== '').join(', ')));
    for (const message of own) if (!hasArrived(landscape, message)) print(missing(stage, message));
  }

  await chapter('Ten orders by queue, on a cold start', () => throughQueue(stage, BATCH));
  let statuses: readonly number[] = [];
  await chapter(
    'Two by webhook: one queued, one direct',
    async () => {
      const posted = await byWebhooks(stage);
      statuses = posted.statuses;
      return posted.sent;
    },
    () => statuses.join(' and '),
  );
  const callsBefore = landscape.runtimeNode.requests.length;
  await chapter(
    'The signing key is rotated, ten more',
    () => {
      authorizationServer.rotateSigningKey();
      return throughQueue(stage, BATCH);
    },
    () =>
      `${landscape.runtimeNode.requests.slice(callsBefore).filter(({ status }) => status === 401).length} times 401`,
  );
  let answered: number | undefined;
  await chapter(
    'A refused order, its letter put back',
    async () => {
      const { sent: order, status } = await refusedThenPutBack(stage);
      answered = status;
      return [order];
    },
    () => `${answered ?? '-'}, replayed`,
  );
  let attempts = 0;
  await chapter(
    'The runtime node is down for a while',
    async () => {
      const messages = await throughOutage(stage);
      attempts = Math.max(...messages.map(({ messageId }) => stage.log.attemptsOf(messageId).length));
      return messages;
    },
    () => `${attempts} attempts`,
  );
  await chapter('SOAP 1.x, SOAP (SAP RM) and OData', () => throughSenderAdapters(stage));

  const arrived = sent.filter((message) => hasArrived(landscape, message)).length;
  const requests = authorizationServer.tokenRequests.length;
  const lost = sent.length - arrived + orders.queue.size;
  const complete = lost === 0 && orders.deadLetterQueue.size === 0;
  print('');
  print(
    `${mark(complete)} ${bold(`${arrived} of ${sent.length} messages delivered`)}, counted at the runtime node by id and SHA-256`,
  );
  print(`  1 of them after its dead letter was put back; ${lost} lost; ${requests} token requests`);
  return complete;
}

/** As an operator does it: the letter says why, the flow's developer mends the flow, `npm run replay` puts it back. */
async function refusedThenPutBack({
  landscape,
  orders,
  log,
  signal,
}: Stage): Promise<{ readonly sent: Sent; readonly status: number | undefined }> {
  const sent = queued(orders, REFUSED);
  await waitForMessages(orders.deadLetterQueue, 1, { timeoutMs: 30_000 });
  await orders.trigger?.waitUntilIdle({ timeoutMs: 30_000 });
  const status = log.attemptsOf(sent.messageId).at(-1)?.status;
  orders.redeployFlow({ answer: () => undefined });
  const before = landscape.runtimeNode.messages.length;
  await replayLetters(orders, landscape.endpoints, signal);
  await landscape.runtimeNode.waitForMessages(before + 1, { timeoutMs: 30_000 });
  await orders.trigger?.waitUntilIdle({ timeoutMs: 30_000 });
  return { sent, status };
}

async function throughOutage({ landscape, orders, log }: Stage): Promise<Sent[]> {
  const before = landscape.runtimeNode.messages.length;
  await landscape.runtimeNode.server.stop();
  const attemptsBefore = log.attempts.length;
  const sent = (['idoc', 'json', 'json'] as const).map((kind) => queued(orders, PAYLOADS[kind]));
  await orders.queue.changes.until('three failed attempts', () => log.attempts.length >= attemptsBefore + 3, {
    timeoutMs: 30_000,
  });
  await landscape.runtimeNode.server.start();
  await landscape.runtimeNode.waitForMessages(before + sent.length, { timeoutMs: 30_000 });
  await orders.trigger?.waitUntilIdle({ timeoutMs: 30_000 });
  return sent;
}

async function throughSenderAdapters({ landscape, sendings }: Stage): Promise<Sent[]> {
  const before = landscape.runtimeNode.messages.length;
  const sent = sendings.map(({ destination, payload }) => {
    destination.trigger?.resume();
    return queued(destination, payload);
  });
  await landscape.runtimeNode.waitForMessages(before + sent.length, { timeoutMs: 30_000 });
  for (const { destination } of sendings) await destination.trigger?.waitUntilIdle({ timeoutMs: 30_000 });
  return sent;
}

async function throughQueue({ orders, landscape }: Stage, kinds: readonly (keyof typeof PAYLOADS)[]): Promise<Sent[]> {
  const before = landscape.runtimeNode.messages.length;
  // All lie in the queue before it is polled, so that one batch of ten comes out of it.
  orders.trigger?.pause();
  const sent = kinds.map((kind) => queued(orders, PAYLOADS[kind]));
  orders.trigger?.resume();
  await landscape.runtimeNode.waitForMessages(before + sent.length, { timeoutMs: 30_000 });
  await orders.trigger?.waitUntilIdle({ timeoutMs: 30_000 });
  return sent;
}

/** As any sender may do it: text as it is, bytes as base64, the content type beside it. */
function queued({ queue }: LocalDestination, payload: Payload): Sent {
  const isText = !payload.contentType.endsWith('pdf');
  const string = (stringValue: string) => ({ dataType: 'String', stringValue });
  const { messageId } = queue.send({
    body: payload.bytes.toString(isText ? 'utf8' : 'base64'),
    attributes: {
      contentType: string(payload.contentType),
      ...(isText ? {} : { bodyEncoding: string('base64') }),
    },
  });
  return { ...payload, messageId, sha256: sha256(payload.bytes) };
}

/** The order is answered 202 and a message id, the request with what the flow says. */
async function byWebhooks(
  stage: Stage,
): Promise<{ readonly sent: readonly Sent[]; readonly statuses: readonly number[] }> {
  const { landscape, orders } = stage;
  const before = landscape.runtimeNode.messages.length;
  const order = await posted(stage, 'orders', PAYLOADS.json);
  const request = await posted(stage, 'stock', {
    what: 'stock request',
    contentType: 'application/json',
    bytes: Buffer.from(STOCK_REQUEST),
  });
  await landscape.runtimeNode.waitForMessages(before + 2, { timeoutMs: 30_000 });
  await orders.trigger?.waitUntilIdle({ timeoutMs: 30_000 });
  return { sent: [order.sent, request.sent], statuses: [order.status, request.status] };
}

async function posted(
  { webhookUser: { username, password }, deployed }: Stage,
  destination: string,
  payload: Payload,
): Promise<{ readonly sent: Sent; readonly status: number }> {
  const messageId = randomUUID();
  const response = await fetch(`${deployed.httpApi.url}/webhooks/${destination}`, {
    method: 'POST',
    headers: {
      Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      'Content-Type': payload.contentType,
      'X-Request-Id': messageId,
    },
    body: new Uint8Array(payload.bytes),
  });
  await response.body?.cancel();
  return { sent: { ...payload, messageId, sha256: sha256(payload.bytes) }, status: response.status };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
