/**
 * SQS of the local landscape: the model with its operations for use in process, the same over HTTP with long polling,
 * and the facts about queues that tests wait for. The rules of queues stand in the folder `sqs`.
 */

import { uuid } from '../../facts/ids.ts';
import { type SetTimer, setRealTimer } from '../../facts/timer.ts';
import type { WaitOptions } from '../../facts/waiting.ts';
import { type Answer, type Answerer, type LocalServer, type Request, startServer } from '../../server/server.ts';
import { AwsError, errorAnswer, type JsonObject, jsonAnswer, readCall, readInteger } from '../aws-json.ts';
import { callSqs, findByUrl } from './api.ts';
import { invalidValue } from './error.ts';
import { MAX_WAIT_SECONDS } from './limits.ts';
import type { Queue } from './queue.ts';
import { createSqsService, type SqsOptions, type SqsService } from './service.ts';

export type {
  MessageAttribute,
  MessageAttributes,
  MessageView,
  NewMessage,
  QueueEvent,
  ReceivedMessage,
} from './message.ts';
export type { Queue } from './queue.ts';
export type { SqsOptions } from './service.ts';

export interface Sqs extends SqsService {
  /**
   * One operation, as its name and input stand in the JSON protocol; ReceiveMessage does not wait.
   * @throws AwsError
   */
  call(operation: string, input: JsonObject): JsonObject;
}

/** The model alone, without a socket. */
export function createSqs(options: SqsOptions = {}): Sqs {
  const service = createSqsService(options);
  return {
    ...service,
    call: (operation, input) => callSqs(service, operation, input),
    get queues() {
      return service.queues;
    },
  };
}

export interface StartSqsOptions extends Omit<SqsOptions, 'endpoint'> {
  /** Default any free one. */
  readonly port?: number;
  /** For the waits of long polls. Default real time. */
  readonly setTimer?: SetTimer;
}

export interface StartedSqs {
  readonly url: string;
  readonly server: LocalServer;
  readonly sqs: Sqs;
  /** The same without a socket. */
  readonly answer: Answerer;
}

/** The model behind HTTP on loopback; queue URLs begin with the server's. */
export async function startSqs({
  port,
  setTimer = setRealTimer,
  ...options
}: StartSqsOptions = {}): Promise<StartedSqs> {
  let url = '';
  const sqs = createSqs({ ...options, endpoint: () => url });
  const answer = answerWith(sqs, setTimer);
  const server = await startServer(answer, port === undefined ? {} : { port });
  url = server.url;
  return { url, server, sqs, answer };
}

function answerWith(sqs: Sqs, setTimer: SetTimer): Answerer {
  return async (request: Request): Promise<Answer> => {
    const requestId = uuid(sqs.random);
    try {
      const { operation, input } = readCall(request, 'AmazonSQS');
      const output = operation === 'ReceiveMessage' ? await longPoll(sqs, input, setTimer) : sqs.call(operation, input);
      return jsonAnswer('1.0', requestId, output);
    } catch (error) {
      if (error instanceof AwsError) return errorAnswer('1.0', requestId, error);
      throw error;
    }
  };
}

/** AWS: "Amazon SQS short and long polling". With long polling too many messages in flight are no error. */
async function longPoll(sqs: Sqs, input: JsonObject, setTimer: SetTimer): Promise<JsonObject> {
  const queue = findByUrl(sqs, 'ReceiveMessage', input);
  const byDefault = Number(queue.attributes().ReceiveMessageWaitTimeSeconds);
  const waitSeconds = readInteger(input, 'WaitTimeSeconds') ?? byDefault;
  if (waitSeconds < 0 || waitSeconds > MAX_WAIT_SECONDS) {
    throw invalidValue('WaitTimeSeconds', waitSeconds, `Must be >= 0 and <= ${MAX_WAIT_SECONDS}, if provided.`);
  }
  let over = waitSeconds === 0;
  let end: () => void = () => undefined;
  const cancel = setTimer(() => {
    over = true;
    end();
  }, waitSeconds * 1000);
  try {
    for (;;) {
      const last = over;
      const output = pollOnce(sqs, input, waitSeconds > 0);
      if (last || output.Messages !== undefined) return output;
      await new Promise<void>((resolve) => {
        const callOff = onceReceivable(queue, sqs.now, setTimer, resolve);
        end = () => {
          callOff();
          resolve();
        };
      });
    }
  } finally {
    cancel();
  }
}

function pollOnce(sqs: Sqs, input: JsonObject, long: boolean): JsonObject {
  try {
    return sqs.call('ReceiveMessage', input);
  } catch (error) {
    if (long && error instanceof AwsError && error.queryCode === 'OverLimit') return {};
    throw error;
  }
}

/**
 * Calls `run` once: after the next change of the queue, or when the next hidden message comes back. The returned
 * function calls it off.
 */
export function onceReceivable(queue: Queue, now: () => number, setTimer: SetTimer, run: () => void): () => void {
  const cancel = () => {
    unsubscribe();
    cancelTimer();
  };
  const runOnce = () => {
    cancel();
    run();
  };
  const unsubscribe = queue.changes.subscribe(runOnce);
  const nextAt = queue.nextVisibleAt();
  const cancelTimer = nextAt === undefined ? () => undefined : setTimer(runOnce, Math.max(1, nextAt - now()));
  return cancel;
}

/** Resolves once the queue holds no message: none visible, in flight or delayed. @throws Error after the timeout */
export function waitUntilEmpty(queue: Queue, options: WaitOptions = {}): Promise<void> {
  return queue.changes.until(`${queue.name} is empty`, () => queue.size === 0, options);
}

/** Resolves once the queue holds at least `count` messages in any state. @throws Error after the timeout */
export function waitForMessages(queue: Queue, count: number, options: WaitOptions = {}): Promise<void> {
  return queue.changes.until(`${queue.name} holds ${count} messages`, () => queue.size >= count, options);
}
