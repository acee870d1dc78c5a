/**
 * Bugs that are planted into the relay's source on its way into the bundle, each by a patch of a line or two, with the
 * rules of which one must be broken then. What is not found here would not be found if it crept in.
 */
import type { Patch } from './bundle.ts';

export interface Bug {
  readonly name: string;
  /**
   * The first seed that finds it, in runs of 40 messages or as many as are said; `npm run simulate -- --bugs` prints
   * it.
   */
  readonly seed: number;
  readonly messages?: number;
  /** Only runs that last for days can find it. */
  readonly isLong?: boolean;
  readonly patches: readonly Patch[];
  /** Rules by which it may show itself first. */
  readonly rules: readonly string[];
}

const SAFE = 'nothing is acknowledged before it is safe';
const ORDER = 'order';
const LOST = 'nothing is lost';
const DUPLICATE = 'every duplicate has a cause';
const TAKEN = 'what was taken is acknowledged';
const REST = 'everything comes to rest';
const NEED = 'no token without need';
const TRUTH = 'dead letters tell the truth';
const OFTEN = 'nothing is received too often';
const SIDE = 'one side for all tries';
const SINCE = 'the sent time says the side';

/** Of each run that looks for a bug. */
export const BUG_MESSAGES = 40;

export const BUGS: readonly Bug[] = [
  {
    name: 'acknowledges before the answer',
    seed: 1,
    patches: [
      {
        file: 'functions/queue/batch.ts',
        find: 'return attemptDelivery(queued.message, way.route, lineOf(queued), options);',
        replace:
          "return Promise.race([attemptDelivery(queued.message, way.route, lineOf(queued), options), Promise.resolve().then(() => ({ outcome: { kind: 'delivered' } }) as Attempt)]);",
      },
    ],
    rules: [SAFE, ORDER],
  },
  {
    name: 'goes on in a FIFO group after a failure',
    seed: 2,
    patches: [
      {
        file: 'functions/queue/batch.ts',
        find: "return postpone(lane, position + 1, 'behind');",
        replace: '',
      },
    ],
    rules: [ORDER],
  },
  {
    name: 'forgets to keep those behind a failure',
    seed: 2,
    patches: [
      {
        file: 'functions/queue/batch.ts',
        find: "return postpone(lane, position + 1, 'behind');",
        replace: 'return;',
      },
    ],
    rules: [SAFE],
  },
  {
    name: 'lets the rest of a group go before its head is hidden',
    seed: 2,
    patches: [
      {
        file: 'functions/queue/visibility.ts',
        find: 'return (await hide(waiting, options)) + (await hide(behind, options));',
        replace: 'return (await hide(behind, options)) + (await hide(waiting, options));',
      },
    ],
    rules: ['a group stays closed'],
  },
  {
    name: 'forgets the successor of a rejected token',
    seed: 5,
    patches: [
      {
        file: 'functions/token/token.ts',
        find: 'if (tokens.peek() !== rejected || rejections.isRecent()) return;',
        replace: 'rejected = tokens.peek() ?? rejected; if (rejections.isRecent()) return;',
      },
    ],
    rules: [NEED],
  },
  {
    name: 'sends the very same token again',
    seed: 32,
    patches: [
      {
        file: 'functions/relay/endpoint-token.ts',
        find: 'throw giveUp(SAME_TOKEN);',
        replace: 'return other;',
      },
    ],
    rules: ['a rejected token is not sent again'],
  },
  {
    name: 'takes a 401 of the flow for a rejected token',
    seed: 1,
    patches: [
      {
        file: 'functions/relay/endpoint-token.ts',
        find: 'return answer.status === 401 && mplIdOf(answer) === undefined;',
        replace: 'return answer.status === 401;',
      },
    ],
    rules: ['sent once in an attempt', NEED],
  },
  {
    name: 'takes a 403 of the flow for a missing role',
    seed: 6,
    patches: [
      {
        file: 'functions/relay/endpoint-token.ts',
        find: 'if ((status !== 403 && status !== 500) || mplIdOf(answer) !== undefined) return undefined;',
        replace: 'if (status !== 403 && status !== 500) return undefined;',
      },
    ],
    rules: ['sent once in an attempt', NEED],
  },
  {
    name: 'queues what a flow has answered',
    seed: 1,
    patches: [
      {
        file: 'functions/relay/outcome.ts',
        find: 'if (isOfFlow && status in BLOCKED)',
        replace: 'if (false)',
      },
      {
        file: 'functions/relay/outcome.ts',
        find: "const executed = isOfFlow ? 'unknown' : ",
        replace: 'const executed = ',
      },
    ],
    rules: ['sent once in an attempt'],
  },
  {
    name: 'loses a message whose letter was refused',
    seed: 6,
    patches: [
      {
        file: 'functions/queue/dead-letter.ts',
        find: "telemetry.problem('dead-letter.failed', { destination: name, messageId, reason });\n      return false;",
        replace:
          "telemetry.problem('dead-letter.failed', { destination: name, messageId, reason });\n      return true;",
      },
    ],
    rules: [SAFE],
  },
  {
    name: 'deduplicates letters by the stable id',
    seed: 93,
    patches: [
      {
        file: 'functions/queue/letter.ts',
        find: 'deduplicationId: recordId }',
        replace: 'deduplicationId: messageId }',
      },
      {
        file: 'functions/queue/letter.ts',
        find: 'function messageOf({ group, recordId }: QueuedMessage,',
        replace: 'function messageOf({ group, messageId }: QueuedMessage,',
      },
    ],
    rules: [SAFE, LOST],
  },
  {
    name: 'answers 202 before SQS has taken it',
    seed: 1,
    patches: [
      {
        file: 'functions/webhook/enqueue.ts',
        find: 'await sqs.send(',
        replace: 'void sqs.send(',
      },
    ],
    rules: [SAFE],
  },
  {
    name: 'answers 202 when SQS did not confirm',
    seed: 28,
    patches: [{ file: 'functions/webhook/enqueue.ts', find: "return 'unavailable';", replace: "return 'queued';" }],
    rules: [SAFE],
  },
  {
    name: 'keeps a token across a rotation of credentials',
    seed: 174,
    patches: [
      {
        file: 'functions/token/token.ts',
        find: 'return token === goodMeanwhile || issued.get(token)?.versionId === credentials.peek()?.versionId;',
        replace: 'return true;',
      },
    ],
    rules: ['no token is kept beside a newer secret'],
  },
  {
    name: 'keeps the secret although nobody answers',
    seed: 1,
    patches: [
      {
        file: 'functions/token/token.ts',
        find: 'return isUnanswered ? readAgain(known, deadline) : known;\n    //',
        replace: 'return known;\n    //',
      },
      {
        file: 'functions/token/token.ts',
        find: 'return isUnanswered ? readAgain(known, deadline) : known;\n  }',
        replace: 'return known;\n  }',
      },
    ],
    rules: ['the secret is read again where nobody answers'],
  },
  {
    name: 'asks for a token at each 401',
    seed: 58,
    patches: [
      {
        file: 'functions/token/token.ts',
        find: ' || rejections.isRecent()) return;',
        replace: ') return;',
      },
    ],
    rules: ['one token request in ten seconds for 401s'],
  },
  {
    name: 'ignores the deadline',
    seed: 69,
    messages: 150,
    patches: [
      {
        file: 'functions/queue/batch.ts',
        find: 'if (deadline.remainingMs() < neededMs(longestMs.get(way) ?? 0))',
        replace: 'if (false)',
      },
      {
        file: 'functions/relay/adapter/adapter.ts',
        find: 'signal: deadline.signal,',
        replace: '',
      },
      {
        file: 'functions/relay/relay.ts',
        find: 'if (deadline.remainingMs() < MIN_CALL_MS)',
        replace: 'if (false)',
      },
    ],
    rules: ['every reply leaves before its deadline'],
  },
  {
    name: 'sends again on a socket that had answered',
    seed: 152,
    patches: [
      {
        file: 'functions/http/http.ts',
        find: 'const dead = sent.reusedSocket && wasIdle && response === undefined && isReset(error);',
        replace: 'const dead = sent.reusedSocket && wasIdle && isReset(error);',
      },
    ],
    rules: ['sent once in an attempt'],
  },
  {
    name: 'takes half an answer for a whole one',
    seed: 152,
    patches: [
      {
        file: 'functions/http/http.ts',
        find: "if (!ended) done(incoming.errored ?? new Error('the answer broke off'), Buffer.alloc(0), truncated);",
        replace: 'if (!ended) done(undefined, Buffer.alloc(0), truncated);',
      },
    ],
    rules: [SAFE],
  },
  {
    name: 'keeps the socket of a request that was answered early',
    seed: 110,
    patches: [
      {
        file: 'functions/http/http.ts',
        find: 'if (!sent.writableFinished) sent.destroy();',
        replace: '',
      },
    ],
    rules: [REST],
  },
  {
    name: 'logs the token',
    seed: 5,
    patches: [
      {
        file: 'functions/relay/relay.ts',
        find: 'return outcome;\n  }\n\n  const outcome',
        replace:
          "return outcome.kind === 'blocked' ? ({ ...outcome, reason: token.accessToken } as Outcome) : outcome;\n  }\n\n  const outcome",
      },
    ],
    rules: ['nothing confidential is printed'],
  },
  {
    name: 'keeps what was delivered',
    seed: 1,
    patches: [
      {
        file: 'functions/queue/batch.ts',
        find: "if (outcome.kind === 'delivered') continue;",
        replace: "if (outcome.kind === 'delivered' && outcome.status !== 204) continue;",
      },
    ],
    rules: [TAKEN, DUPLICATE],
  },
  {
    name: 'asks for a token for each message at once',
    seed: 18,
    patches: [
      {
        file: 'functions/warm/warm.ts',
        find: 'const joined = inFlight ?? start();',
        replace: 'const joined = start();',
      },
    ],
    rules: ['one token request at a time'],
  },
  {
    name: 'gives a message up before its time',
    seed: 1,
    patches: [
      {
        file: 'functions/queue/letter.ts',
        find: 'now - queued.firstReceivedAt > retryForHours * HOUR_MS',
        replace: 'now - queued.firstReceivedAt > (retryForHours * HOUR_MS) / 60',
      },
    ],
    rules: [TRUTH],
  },
  {
    name: 'never ends a pause',
    seed: 15,
    patches: [
      {
        file: 'functions/warm/pause.ts',
        find: 'const current = () => (isWithin(lastsMs, openedAt, now()) ? refusal : undefined);',
        replace: 'const current = () => refusal;',
      },
    ],
    rules: [REST],
  },
  {
    name: 'gives each attempt an id of its own',
    seed: 1,
    patches: [
      {
        file: 'functions/message/queued.ts',
        find: "const messageId = stableId(text(attributes, 'messageId') ?? idInLetter(attributes) ?? recordId);",
        replace: 'const messageId = stableId(recordId);',
      },
    ],
    rules: ['ids never change'],
  },
  {
    name: 'puts the message of a webhook into its queue twice',
    seed: 1,
    patches: [
      {
        file: 'functions/webhook/enqueue.ts',
        find: "    return 'queued';\n  }",
        replace: "    await sqs.send(queueUrl, outgoing, signal).catch(() => undefined);\n    return 'queued';\n  }",
      },
    ],
    rules: [DUPLICATE],
  },
  {
    name: 'cuts the body of a letter',
    seed: 1,
    patches: [
      {
        file: 'functions/queue/letter.ts',
        find: 'const message = messageOf(queued, queued.body, whole);',
        replace: 'const message = messageOf(queued, queued.body.slice(0, 40), whole);',
      },
    ],
    rules: ['dead letters keep the message'],
  },
  {
    name: 'throws for a message that cannot be read',
    seed: 3,
    patches: [
      {
        file: 'functions/relay/attempt.ts',
        find: 'if (message instanceof RelayError) return',
        replace: 'if (message instanceof RelayError) throw message; if (message instanceof RelayError) return',
      },
    ],
    rules: ['an invocation never throws'],
  },
  {
    name: 'waits behind a breaker that blocked opened as after failures',
    seed: 14,
    isLong: true,
    patches: [
      {
        file: 'functions/queue/batch.ts',
        find: "breaker.isBlocked ? 'breaker-blocked' : 'breaker'",
        replace: "'breaker'",
      },
    ],
    rules: [OFTEN, LOST],
  },
  {
    name: 'holds back behind a breaker what SQS drops before its turn',
    seed: 24,
    isLong: true,
    messages: 1_000,
    patches: [{ file: 'functions/queue/batch.ts', find: ' && !isOverdue(queued, now())', replace: '' }],
    rules: [LOST],
  },
  {
    name: 'counts the time of retries from the sending',
    seed: 3,
    isLong: true,
    patches: [
      {
        file: 'functions/queue/letter.ts',
        find: 'now - queued.firstReceivedAt > retryForHours * HOUR_MS',
        replace: 'now - queued.sentAt > retryForHours * HOUR_MS',
      },
    ],
    rules: [TRUTH],
  },
  {
    name: 'gives up what had no time for a call',
    seed: 42,
    messages: 100,
    patches: [
      {
        file: 'functions/queue/batch.ts',
        find: "return outcome.kind === 'rejected' || calls > 0 || remainingMs() >= MIN_CALL_MS;",
        replace: 'return true;',
      },
    ],
    rules: ['given up is only what was tried'],
  },
  {
    name: 'deduplicates by the bare id',
    seed: 11,
    patches: [
      {
        file: 'functions/webhook/enqueue.ts',
        find: 'deduplicationId: deduplicationIdOf(message, payload, eventSource),',
        replace: 'deduplicationId: message.id,',
      },
    ],
    rules: ['another body is another message'],
  },
  {
    name: 'deduplicates each try for itself',
    seed: 11,
    patches: [
      {
        file: 'functions/webhook/enqueue.ts',
        find: 'deduplicationId: deduplicationIdOf(message, payload, eventSource),',
        replace: 'deduplicationId: deduplicationIdOf(message, payload, newId()),',
      },
    ],
    rules: ['the same bytes again are one message', DUPLICATE],
  },
  {
    name: 'lets a header go that no request can carry',
    seed: 1,
    patches: [
      {
        file: 'functions/relay/adapter/headers.ts',
        find: 'if (!isSendable(value)) throw',
        replace: 'if (false) throw',
      },
    ],
    rules: ['what no request can carry is refused'],
  },
  {
    name: 'takes what S3 refuses for what is not there',
    seed: 58,
    messages: 150,
    patches: [
      {
        file: 'functions/aws/s3.ts',
        find: "if (name === 'NoSuchKey' || name === 'NotFound') {",
        replace: "if (name === 'NoSuchKey' || name === 'NotFound' || statusOf(cause) === 403) {",
      },
    ],
    rules: [TRUTH],
  },
  {
    name: 'takes the side by the time of the try',
    seed: 29,
    patches: [
      {
        file: 'functions/queue/routes.ts',
        find: 'const { side, sentAt = queued.sentAt } = triedBefore(queued);',
        replace: 'const { side, sentAt = now() } = triedBefore(queued);',
      },
    ],
    rules: [SIDE, SINCE],
  },
  {
    name: 'takes the share by the receipt',
    seed: 3,
    patches: [
      {
        file: 'functions/queue/routes.ts',
        find: 'queued.group ?? queued.messageId',
        replace: 'queued.group ?? queued.receiptHandle',
      },
    ],
    rules: [SIDE, SINCE],
  },
  {
    name: 'takes the share of FIFO messages by their ids',
    seed: 6,
    patches: [
      {
        file: 'functions/queue/routes.ts',
        find: 'queued.group ?? queued.messageId',
        replace: 'queued.messageId',
      },
    ],
    rules: [SINCE],
  },
  {
    name: 'writes letters without their side',
    seed: 294,
    patches: [
      {
        file: 'functions/queue/letter.ts',
        find: '    destination,\n    side,',
        replace: '    destination,',
      },
    ],
    rules: [SIDE],
  },
];
