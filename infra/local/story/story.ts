/**
 * The main job, told: orders through a queue, a webhook, a rotation of the signing key, an order that the flow refuses for
 * good, an outage that heals, a message through each sender adapter. Sends realistic payloads, waits until they have
 * arrived, and says in words and figures what happened. Prints; decides nothing.
 */
import { createHash, randomUUID } from 'node:crypto';
import { waitForMessages } from '../aws/sqs/sqs.ts';
import type { Deployed, LocalDestination } from '../landscape.ts';
import { PAYLOADS, type Payload, REFUSED, STOCK_REQUEST } from './payloads.ts';
import type { Sending } from './sender-adapters.ts';
import {
  bold,
  chapter,
  dim,
  hasArrived,
  heading,
  mark,
  row,
  type Sent,
  type Telling,
  tokenRequestsSoFar,
} from './table.ts';

export interface Stage extends Telling {
  readonly deployed: Deployed;
  /** Its webhook is queued. */
  readonly orders: LocalDestination;
  /** Its webhook is direct. */
  readonly stock: LocalDestination;
  /** One for each sender adapter but HTTPS. */
  readonly sendings: readonly Sending[];
  readonly webhookUser: { readonly username: string; readonly password: string };
}

const BATCH = ['idoc', 'json', 'json', 'pdf', 'json', 'idoc', 'json', 'json', 'idoc', 'json'] as const;

/** @returns whether every message was delivered, or lies in the dead-letter queue, counted at the runtime node by id and SHA-256 */
export async function tellStory(stage: Stage): Promise<boolean> {
  const { landscape, orders, print } = stage;
  const { authorizationServer } = landscape;
  const sent: Sent[] = [];

  chapter(print, '1', 'Ten orders through the queue, on a cold start');
  sent.push(...(await throughQueue(stage, BATCH)));
  print(dim('   A call is one request that carried the message: the first ones met the demand for a CSRF token.'));
  tokenRequestsSoFar(stage);

  chapter(print, '2', 'By webhook: an order that is queued, and a request whose caller waits for the flow');
  sent.push(...(await byWebhooks(stage)));
  tokenRequestsSoFar(stage);

  chapter(print, '3', 'The authorization server rotates its signing key: warm tokens are worthless at once');
  authorizationServer.rotateSigningKey();
  print(dim('   The runtime node answers 401; the relay forgets that token, gets one new one, and sends once more.'));
  sent.push(...(await throughQueue(stage, BATCH)));
  tokenRequestsSoFar(stage);

  chapter(print, '4', 'An order that the flow refuses for good: dead-letter queue, with the reason');
  await refused(stage);

  chapter(print, '5', 'The runtime node goes down: orders wait in the queue, and arrive when it is back');
  sent.push(...(await throughOutage(stage)));
  tokenRequestsSoFar(stage);

  chapter(print, '6', 'SAP’s other sender adapters: SOAP 1.x, SOAP (SAP RM) and OData, each with a client of its own');
  sent.push(...(await throughSenderAdapters(stage)));
  tokenRequestsSoFar(stage);

  const arrived = sent.filter((message) => hasArrived(landscape, message)).length;
  const requests = authorizationServer.tokenRequests.length;
  const lost = sent.length - arrived + orders.queue.size;
  const complete = lost === 0 && orders.deadLetterQueue.size === 1;
  print('');
  print(
    `${mark(complete)} ${bold(`${arrived} of ${sent.length} messages delivered`)}, counted at the runtime node by id and SHA-256`,
  );
  print(`  1 refused, in the dead-letter queue with its reason; 0 lost; ${requests} token requests in all`);
  return complete;
}

async function refused({ orders, log, print }: Stage): Promise<void> {
  const { messageId } = queued(orders, REFUSED);
  await waitForMessages(orders.deadLetterQueue, 1, { timeoutMs: 30_000 });
  await orders.trigger?.waitUntilIdle({ timeoutMs: 30_000 });
  const letter = orders.deadLetterQueue.messages[0]?.attributes.deadLetter?.stringValue ?? '{}';

  print(`   ${messageId}  ${REFUSED.what}: answered ${log.attemptsOf(messageId).at(-1)?.status ?? '-'}`);
  print(dim(`   deadLetter: ${letter}`));
}

async function throughOutage(stage: Stage): Promise<Sent[]> {
  const { landscape, orders, log, print } = stage;
  const before = landscape.runtimeNode.messages.length;
  await landscape.runtimeNode.server.stop();
  const attemptsBefore = log.attempts.length;
  const sent = (['idoc', 'json', 'json'] as const).map((kind) => queued(orders, PAYLOADS[kind]));
  await orders.queue.changes.until('three failed attempts', () => log.attempts.length >= attemptsBefore + 3, {
    timeoutMs: 30_000,
  });
  for (const { outcome, reason } of log.attempts.slice(attemptsBefore, attemptsBefore + 1))
    print(dim(`   ${outcome}: ${reason}`));
  await landscape.runtimeNode.server.start();
  print(dim('   The runtime node is back; each message waits for its own backoff, 1 to 2 s after the first try.'));
  await landscape.runtimeNode.waitForMessages(before + sent.length, { timeoutMs: 30_000 });
  await orders.trigger?.waitUntilIdle({ timeoutMs: 30_000 });
  heading(print);
  for (const message of sent) row(stage, message);
  return sent;
}

async function throughSenderAdapters(stage: Stage): Promise<Sent[]> {
  const { landscape, sendings } = stage;
  const before = landscape.runtimeNode.messages.length;
  const sent = sendings.map(({ destination, payload }) => {
    destination.trigger?.resume();
    return queued(destination, payload);
  });
  await landscape.runtimeNode.waitForMessages(before + sent.length, { timeoutMs: 30_000 });
  for (const { destination } of sendings) await destination.trigger?.waitUntilIdle({ timeoutMs: 30_000 });
  heading(stage.print);
  for (const message of sent) row(stage, message);
  return sent;
}

async function throughQueue(stage: Stage, kinds: readonly (keyof typeof PAYLOADS)[]): Promise<Sent[]> {
  const { orders, landscape } = stage;
  const before = landscape.runtimeNode.messages.length;
  // All lie in the queue before it is polled, so that one batch of ten comes out of it.
  orders.trigger?.pause();
  const sent = kinds.map((kind) => queued(orders, PAYLOADS[kind]));
  orders.trigger?.resume();
  await landscape.runtimeNode.waitForMessages(before + sent.length, { timeoutMs: 30_000 });
  await orders.trigger?.waitUntilIdle({ timeoutMs: 30_000 });
  heading(stage.print);
  for (const message of sent) row(stage, message);
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

async function byWebhooks(stage: Stage): Promise<Sent[]> {
  const { landscape, orders, print } = stage;
  const before = landscape.runtimeNode.messages.length;
  const order = await posted(stage, 'orders', PAYLOADS.json);
  const request = await posted(stage, 'stock', {
    what: 'stock request',
    contentType: 'application/json',
    bytes: Buffer.from(STOCK_REQUEST),
  });
  await landscape.runtimeNode.waitForMessages(before + 2, { timeoutMs: 30_000 });
  await orders.trigger?.waitUntilIdle({ timeoutMs: 30_000 });
  heading(print);
  for (const message of [order, request]) row(stage, message);
  print(
    dim(
      '   The webhook function has an environment and a token of its own; what is queued goes by the queue function.',
    ),
  );
  return [order, request];
}

/** Says what the caller got: 202 and the message id, or the flow's answer. */
async function posted(stage: Stage, destination: string, payload: Payload): Promise<Sent> {
  const { username, password } = stage.webhookUser;
  const messageId = randomUUID();
  const response = await fetch(`${stage.deployed.httpApi.url}/webhooks/${destination}`, {
    method: 'POST',
    headers: {
      Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      'Content-Type': payload.contentType,
      'X-Request-Id': messageId,
    },
    body: new Uint8Array(payload.bytes),
  });
  const body = (await response.text()).trim();
  stage.print(`   POST /webhooks/${destination.padEnd(6)}  ${response.status}  ${body}`);
  return { ...payload, messageId, sha256: sha256(payload.bytes) };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
