/**
 * Two queues with their dead-letter queues on the local SQS, letters in them as the relay itself writes them, and the
 * replay run on them in process, on a clock that the tests move.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { SQSMessageAttribute, SQSRecord } from 'aws-lambda';
import { fromRecord } from '../../functions/message/queued.ts';
import { letterOf } from '../../functions/queue/letter.ts';
import type { Outcome } from '../../functions/relay/outcome.ts';
import { type MessageView, type Queue, type Sqs, startSqs } from '../../infra/local/aws/sqs/sqs.ts';
import type { LocalServer, Request } from '../../infra/local/server/server.ts';
import { readCommand } from '../../infra/ops/replay/arguments.ts';
import { createClient } from '../../infra/ops/replay/queues.ts';
import { replay } from '../../infra/ops/replay/run.ts';
import { createTerminal } from '../../infra/ops/replay/terminal.ts';
import { createSimulatedTime } from '../doubles/time.ts';

export const START = Date.UTC(2026, 0, 15);
export const HOUR_MS = 3_600_000;

export interface DeadMessage {
  readonly body?: string;
  /** The message's own attributes. */
  readonly attributes?: Readonly<Record<string, SQSMessageAttribute>>;
  readonly outcome?: 'rejected' | 'failed' | 'blocked';
  readonly status?: number;
  readonly reason?: string;
  readonly detail?: string;
  readonly mplId?: string;
  readonly monitor?: string;
  readonly destination?: string;
  readonly group?: string;
  /** Of a cut-over. */
  readonly side?: 'old' | 'new';
  /** Default 3. */
  readonly receiveCount?: number;
  /** How long ago it died. Default 0. */
  readonly agoMs?: number;
}

export interface Ran {
  readonly code: number;
  /** Standard output. */
  readonly out: string;
  /** Standard error. */
  readonly notes: string;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly columns?: number;
  readonly isTTY?: boolean;
}

export interface DeadLetters extends AsyncDisposable {
  readonly sqs: Sqs;
  readonly server: LocalServer;
  readonly client: SQSClient;
  /** Where the journal and files of the test lie. */
  readonly folder: string;
  readonly queue: Queue;
  readonly deadLetterQueue: Queue;
  now(): number;
  pass(ms: number): void;
  /** Of the standard or of the FIFO pair. */
  pair(fifo: boolean): { readonly queue: Queue; readonly deadLetterQueue: Queue };
  /** @returns its stable id */
  bury(message?: DeadMessage): Promise<string>;
  /** `--dead-letter-queue` and `--journal` are given; the rest as on the command line. */
  run(argv: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Without them. @throws Mistake */
  runExactly(argv: readonly string[], options?: RunOptions): Promise<Ran>;
}

/** @param fifo which pair `bury` and `run` mean. Default the standard one */
export async function startDeadLetters({ fifo = false } = {}): Promise<DeadLetters> {
  const clock = createSimulatedTime(START);
  const { now } = clock;
  const { sqs, server } = await startSqs({ now });
  const folder = await mkdtemp(join(tmpdir(), 'replay-'));
  const pairs = [false, true].map((isFifo) => {
    const ending = isFifo ? '.fifo' : '';
    const deadLetterQueue = sqs.createQueue(`token-relay-dev-orders-dlq${ending}`);
    return { deadLetterQueue, queue: sqs.createQueue(`token-relay-dev-orders${ending}`) };
  });
  const pair = (isFifo: boolean) => {
    const found = pairs[Number(isFifo)];
    if (found === undefined) throw new Error('there are two pairs');
    return found;
  };
  const { queue, deadLetterQueue } = pair(fifo);
  const client = createClient({ environment: { AWS_ENDPOINT_URL_SQS: server.url } });
  let buried = 0;

  async function bury(message: DeadMessage = {}): Promise<string> {
    buried += 1;
    const {
      body = `{"order":${buried}}`,
      attributes = {},
      destination = 'orders',
      agoMs = 0,
      detail,
      mplId,
      monitor,
      side,
      receiveCount = 3,
    } = message;
    const { outcome: kind = 'rejected', status = 400, reason = `the endpoint answered ${status}` } = message;
    const named = { ...(detail === undefined ? {} : { detail }), ...(mplId === undefined ? {} : { mplId }) };
    const outcome: Outcome = { kind, executed: 'no', status, reason, ...named };
    const queued = { ...fromRecord(recordOf(body, attributes)), receiveCount };
    const letter = letterOf(queued, outcome, {
      destination,
      now: now() - agoMs,
      ...(monitor === undefined ? {} : { monitor }),
      ...(side === undefined ? {} : { side }),
    });
    if (letter === undefined) throw new Error('the letter does not fit');
    const { message: outgoing } = letter;
    await client.send(
      new SendMessageCommand({
        QueueUrl: deadLetterQueue.url,
        MessageBody: outgoing.body,
        MessageAttributes: { ...outgoing.attributes },
        MessageGroupId: fifo ? (message.group ?? 'g') : undefined,
        MessageDeduplicationId: outgoing.deduplicationId,
      }),
    );
    return queued.messageId;
  }

  function recordOf(body: string, messageAttributes: SQSRecord['messageAttributes']): SQSRecord {
    return {
      messageId: `00000000-0000-4000-8000-${String(buried).padStart(12, '0')}`,
      receiptHandle: 'handle',
      body,
      attributes: {
        ApproximateReceiveCount: '3',
        SentTimestamp: String(now() - HOUR_MS),
        SenderId: 'sender',
        ApproximateFirstReceiveTimestamp: String(now() - HOUR_MS),
        ...(fifo ? { MessageGroupId: 'g' } : {}),
      },
      messageAttributes,
      md5OfBody: '',
      eventSource: 'aws:sqs',
      eventSourceARN: queue.arn,
      awsRegion: sqs.region,
    };
  }

  async function runExactly(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const command = readCommand(argv);
    if (command === 'help') throw new Error('help is for the entry');
    const written = { out: '', notes: '' };
    const writer = (to: keyof typeof written) => (text: string | Uint8Array) => {
      written[to] += text;
      return true;
    };
    const { isTTY = false, columns = 100 } = options;
    const terminal = createTerminal({
      stdout: { write: writer('out'), columns, isTTY },
      stderr: { write: writer('notes'), isTTY },
      now,
    });
    const { signal = new AbortController().signal, wait = pauseOf } = options;
    const randomId = () => crypto.randomUUID();
    const code = await replay(command, { client, terminal, now, wait, randomId, signal, waitSeconds: 0 });
    return { code, ...written };
  }

  async function pauseOf(ms: number): Promise<void> {
    clock.advance(ms);
  }

  return {
    sqs,
    server,
    client,
    folder,
    queue,
    deadLetterQueue,
    now,
    pass: (ms) => {
      clock.advance(ms);
    },
    pair,
    bury,
    run: (argv, options) =>
      runExactly(
        ['--dead-letter-queue', deadLetterQueue.url, '--journal', join(folder, 'journal.jsonl'), ...argv],
        options,
      ),
    runExactly,
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}

/** As the relay's function would get it. */
export function asRecord({ id, body, attributes, groupId }: MessageView, queue: Queue): SQSRecord {
  return {
    messageId: id,
    receiptHandle: 'handle',
    body,
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: '0',
      SenderId: 'sender',
      ApproximateFirstReceiveTimestamp: '0',
      ...(groupId === undefined ? {} : { MessageGroupId: groupId }),
    },
    messageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, { dataType, stringValue, binaryValue }]) => [
        name,
        {
          dataType: dataType as 'String',
          ...(stringValue === undefined ? {} : { stringValue }),
          ...(binaryValue === undefined ? {} : { binaryValue: Buffer.from(binaryValue).toString('base64') }),
        },
      ]),
    ),
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: queue.arn,
    awsRegion: 'eu-central-1',
  };
}

/** Of what is there, in queue order. */
export function bodiesIn(queue: Queue): string[] {
  return queue.messages.map(({ body }) => body);
}

export function statesIn(queue: Queue): string[] {
  return queue.messages.map(({ state }) => state);
}

export function string(stringValue: string): SQSMessageAttribute {
  return { dataType: 'String', stringValue };
}

/** Which requests call this operation. */
export function isCall(operation: string): (request: Request) => boolean {
  return ({ headers }) => headers['x-amz-target'] === `AmazonSQS.${operation}`;
}

export const isSend = isCall('SendMessage');
