/**
 * A cut-over, told: orders go to Neo, then to Cloud Foundry from a time on, while some of before still wait for Neo;
 * the new side's secret and keys are rotated, it is down for a while, and the operator goes back and forth again. Both
 * environments run at once, and what arrived is counted at both. Prints; decides nothing.
 */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Folder } from '../config/folder.ts';
import type { NewSide, SapEnvironment } from '../environment.ts';
import type { Deployed, Landscape, LocalDestination } from '../landscape.ts';
import type { RuntimeNode } from '../sap/runtime-node/runtime-node.ts';
import { orderFlow, PAYLOADS } from './payloads.ts';
import { bold, mark, missing, row, type Sent, type Telling } from './table.ts';

interface Prepared {
  readonly landscape: Landscape;
  readonly cf: SapEnvironment;
  readonly orders: LocalDestination;
  readonly newSide: NewSide;
}

interface Stage extends Prepared, Telling {
  readonly deployed: Deployed;
}

/** From the deployment of a cut-over to its time: as long as both functions take to have it. */
const AHEAD_MS = 1_500;
const WITHIN = { timeoutMs: 60_000 };

export async function prepareCutover(landscape: Landscape): Promise<Prepared> {
  const cf = await landscape.openEnvironment('cf');
  const plan = { name: 'orders', flow: { answer: orderFlow } };
  return { landscape, cf, newSide: cf.connect(plan), orders: landscape.connect(plan) };
}

/** @returns a line to copy into another terminal */
export async function inviteToCutover({ orders }: Prepared, folder: Folder): Promise<string[]> {
  const order = await folder.write('orders.payload.json', PAYLOADS.json.bytes.toString());
  return [
    `  npm run send -- @${await folder.write('orders.queue', `--queue ${orders.queue.url}\n--data @${order}\n`)}`,
  ];
}

/** @returns whether every message arrived, on one side alone, counted at both runtime nodes by id and SHA-256 */
export async function tellCutover(stage: Stage): Promise<boolean> {
  const { landscape, cf, orders, newSide, print, log } = stage;
  const neo = landscape.runtimeNode;
  const sent: Sent[] = [];
  let chapters = 0;

  async function chapter(title: string, play: () => Promise<readonly Sent[]>, more: () => string = () => '') {
    const own = await play();
    sent.push(...own);
    const onNeo = own.filter((message) => isAt(neo, message)).length;
    const onCf = own.filter((message) => isAt(cf.runtimeNode, message)).length;
    const facts = [onNeo > 0 ? `${onNeo} Neo` : '', onCf > 0 ? `${onCf} Cloud Foundry` : '', more()];
    chapters += 1;
    print(row(onNeo + onCf === own.length, `${chapters}  ${title}`, facts.filter((fact) => fact !== '').join(', ')));
    for (const message of own)
      if (!isAt(neo, message) && !isAt(cf.runtimeNode, message)) print(missing(stage, message));
  }

  const attempts = (messages: readonly Sent[]) =>
    Math.max(...messages.map(({ messageId }) => log.attemptsOf(messageId).length));

  await chapter('Ten orders before the cut-over', () => delivered(stage, 10, neo));
  const waiting: Sent[] = [];
  await chapter(
    'Neo is down, and three wait for it',
    async () => {
      waiting.push(...(await stuck(stage, 3, neo)));
      return [];
    },
    () => `${attempts(waiting)} attempt${attempts(waiting) === 1 ? '' : 's'}`,
  );
  await cutOver(stage);
  await chapter('The cut-over, and ten more', () => delivered(stage, 10, cf.runtimeNode));
  await chapter('Neo is back: the three of before', async () => {
    await healed(stage, neo, waiting);
    return waiting;
  });
  const requestsBefore = cf.authorizationServer.tokenRequests.length;
  await chapter(
    'Secret and keys are rotated, five more',
    () => {
      newSide.rotateSecret();
      cf.authorizationServer.rotateSigningKey();
      return delivered(stage, 5, cf.runtimeNode);
    },
    () => `${cf.authorizationServer.tokenRequests.length - requestsBefore} tokens`,
  );
  let later: readonly Sent[] = [];
  await chapter(
    'Cloud Foundry is down for a while',
    async () => {
      later = await stuck(stage, 3, cf.runtimeNode);
      await healed(stage, cf.runtimeNode, later);
      return later;
    },
    () => `${attempts(later)} attempts`,
  );
  await deploy(stage, undefined);
  await chapter('Back: no cut-over any more, five more', () => delivered(stage, 5, neo));
  await cutOver(stage);
  await chapter('And once more to the new side', () => delivered(stage, 5, cf.runtimeNode));

  const both = sent.filter((message) => isAt(neo, message) && isAt(cf.runtimeNode, message)).length;
  const arrived = sent.filter((message) => isAt(neo, message) || isAt(cf.runtimeNode, message)).length;
  const lost = sent.length - arrived + orders.queue.size;
  const complete = lost === 0 && both === 0 && orders.deadLetterQueue.size === 0;
  print('');
  print(
    `${mark(complete)} ${bold(`${arrived} of ${sent.length} messages delivered`)}, counted at both runtime nodes by id and SHA-256`,
  );
  print(`  ${both} of them on both sides; ${lost} lost`);
  return complete;
}

/** Deployed a little ahead of its time, as an operator does. */
async function cutOver(stage: Stage): Promise<void> {
  const since = Date.now() + AHEAD_MS;
  await deploy(stage, new Date(since).toISOString());
  // SQS says when a message was sent: by this same clock.
  await delay(since - Date.now() + 1);
}

async function deploy({ orders, newSide, deployed }: Stage, since: string | undefined): Promise<void> {
  const cutover = since === undefined ? {} : { cutover: { ...newSide.settings, since } };
  const DESTINATIONS = JSON.stringify({ orders: { ...orders.settings, ...cutover } });
  for (const made of [deployed.queueFunction, deployed.webhookFunction]) {
    await made.updateEnvironment({ ...made.configuration.variables, DESTINATIONS });
  }
}

async function delivered({ orders }: Stage, count: number, node: RuntimeNode): Promise<Sent[]> {
  const before = node.messages.length;
  orders.trigger?.pause();
  const sent = Array.from({ length: count }, () => queued(orders));
  orders.trigger?.resume();
  await node.waitForMessages(before + count, WITHIN);
  await orders.trigger?.waitUntilIdle(WITHIN);
  return sent;
}

/** Each of them tried in vain at least once. */
async function stuck({ orders, log }: Stage, count: number, node: RuntimeNode): Promise<Sent[]> {
  await node.server.stop();
  const sent = Array.from({ length: count }, () => queued(orders));
  const isTried = () => sent.every(({ messageId }) => log.attemptsOf(messageId).length > 0);
  await orders.queue.changes.until('an attempt of each', isTried, WITHIN);
  return sent;
}

async function healed({ orders }: Stage, node: RuntimeNode, waiting: readonly Sent[]): Promise<void> {
  await node.server.start();
  await orders.queue.changes.until('all have arrived', () => waiting.every((one) => isAt(node, one)), WITHIN);
  await orders.trigger?.waitUntilIdle(WITHIN);
}

function queued({ queue }: LocalDestination): Sent {
  const { json } = PAYLOADS;
  const contentType = { dataType: 'String', stringValue: json.contentType };
  const { messageId } = queue.send({ body: json.bytes.toString(), attributes: { contentType } });
  return { ...json, messageId, sha256: createHash('sha256').update(json.bytes).digest('hex') };
}

function isAt({ messages }: RuntimeNode, { messageId, sha256 }: Sent): boolean {
  return messages.some((arrived) => arrived.messageId === messageId && arrived.bodySha256 === sha256);
}
