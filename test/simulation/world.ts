/**
 * One run: the systems of the landscape and the relay's functions on simulated time, put together from a plan, with its
 * senders and its faults, until everything has come to rest or must have. What was seen is in the ledger and the trace.
 */
import { AwsError, type JsonObject } from '../../infra/local/aws/aws-json.ts';
import { type QueueTrigger, startQueueTrigger } from '../../infra/local/aws/queue-trigger/queue-trigger.ts';
import { callSecretsManager } from '../../infra/local/aws/secrets-manager/api.ts';
import { createSecretsService } from '../../infra/local/aws/secrets-manager/service.ts';
import { createSqs, type Queue } from '../../infra/local/aws/sqs/sqs.ts';
import type { FlowResult } from '../../infra/local/sap/runtime-node/message.ts';
import { bytesOf, createChance } from '../doubles/random.ts';
import { createAuthorization } from './authorization.ts';
import type { AwsOptions, Call } from './aws-client.ts';
import type { Bundle, Entry } from './bundle.ts';
import { createDeliveryWatch } from './delivery-watch.ts';
import { createEnvironment } from './environment.ts';
import { FAULTS, type Faulted, type Giver } from './faults.ts';
import { createLambda, type Invocation, type Lambda } from './lambda.ts';
import { createLedger, type Ledger, RETENTION_MS, type Tracked } from './ledger.ts';
import { createNetwork, type Exchange } from './network.ts';
import { createOperator } from './operator.ts';
import { type CutoverPlan, destinationIn, isNewSide, newSideOf, type Plan } from './plan.ts';
import { createRuntimeNode } from './runtime-node.ts';
import { createScheduler } from './scheduler.ts';
import { BUCKET, createSenders, FORWARDED, WEBHOOK_USER } from './senders.ts';
import { settle } from './settlement.ts';
import { createStore } from './store.ts';
import { createTokenWatch } from './token-watch.ts';
import { createTrace } from './trace.ts';

const STARTS_AT = Date.UTC(2026, 0, 1);
const AUTHORIZATION = 'https://acme-dev.authentication.example';
/** Where the authorization server is once it has moved. */
const MOVED = 'https://acme-dev.moved.example';
const RUNTIME = 'https://acme-dev-iflmap.example';
/** The new side's, where there is a cut-over. */
const NEW_RUNTIME = 'https://acme-new-iflmap.example';
const isRuntime = (host: string) => host === RUNTIME || host === NEW_RUNTIME;
/**
 * Faults by which SQS hands a message out more often than it waits for an operator, or shall move it away in the end.
 */
const MOVING = new Set([
  'lambda: killed',
  'queue: visibility too short',
  'queue: dead-letter queue denied',
  'sqs: lost before',
  'sqs: refused',
]);
const MINUTE_MS = 60_000;
/** After the last fault everything is delivered or dead within this, in milliseconds. */
const REST_WITHIN_MS = 3 * 3_600_000;

export interface Outcome {
  readonly ledger: Ledger;
  readonly trace: readonly string[];
  readonly events: number;
  /** Simulated, in milliseconds. */
  readonly lastedMs: number;
}

/** For whoever makes metrics of a run: every line that the functions write, and what AWS counts itself. */
export interface Watch {
  readonly log: (line: string) => void;
  /** Each queue, each minute. @param at epoch milliseconds */
  readonly queue: (queue: Queue, at: number) => void;
  /** A batch that the event source mapping of a destination handed to the function. */
  readonly invoked: (destination: string, messages: number, at: number) => void;
  readonly ended: (entry: Entry, invocation: Invocation) => void;
}

export async function simulate(plan: Plan, bundle: Bundle, watch?: Watch): Promise<Outcome> {
  const chance = createChance(plan.seed);
  const scheduler = createScheduler(STARTS_AT);
  const { now } = scheduler;
  const trace = createTrace(now, STARTS_AT);
  const ledger = createLedger(trace);
  const destinations = new Map(plan.destinations.map((one) => [one.name, one]));
  const clients = [...new Set(plan.destinations.flatMap(({ client, cutover }) => [client, cutover?.client ?? client]))];
  /** As they are deployed now. */
  const cutovers = new Map<string, Pick<CutoverPlan, 'sinceMs' | 'share'> | undefined>(
    plan.destinations.map(({ name, cutover }) => [name, cutover]),
  );
  let skewMs = 0;

  const authorization = createAuthorization({
    environment: plan.environment,
    origin: AUTHORIZATION,
    now: () => now() + skewMs,
    random: bytesOf(chance('authorization')),
    tokenLifetimeSeconds: plan.tokenLifetimeSeconds,
    clientIds: clients,
    confidential: ledger.confidential,
  });
  const node = createRuntimeNode({
    authorization,
    flows: plan.destinations.flatMap(({ name, flow, cutover }) => [
      { name, ...flow },
      ...(cutover === undefined ? [] : [{ ...flow, name: newSideOf(name), csrfProtected: cutover.csrf }]),
    ]),
    now,
    random: bytesOf(chance('node')),
    workers: plan.workers,
    expiredTokenStatus: plan.expiredTokenStatus,
    verdictOn({ messageId, body, mplId }) {
      const message = ledger.find(messageId, body);
      if (message === undefined) return { status: 200 };
      const { verdict, exceptions } = message.arrival;
      return message.attempts < exceptions ? failureOf(message, mplId) : { status: verdict };
    },
    onRun(processed, exchange) {
      deliveries.ran(processed, exchange);
      trace.note('node', `runs ${processed.messageId}: ${processed.status}`);
    },
    confidential: ledger.confidential,
  });

  const sqs = createSqs({ now, random: chance('sqs'), shuffle: plan.shuffle });
  const store = createStore();
  const secretsService = createSecretsService({ now, random: chance('secrets') });
  const secrets = createSecrets();
  const deployedSeconds = Math.min(900, 2 * Math.max(...plan.destinations.map((one) => one.timeoutSeconds)) + 30);
  const { queueTimeoutSeconds: timeoutSeconds = deployedSeconds } = plan;
  const visibilitySeconds = String(6 * timeoutSeconds);
  for (const { name, fifo, deadLetterQueue } of plan.destinations) {
    const attributes = { MessageRetentionPeriod: '1209600', VisibilityTimeout: visibilitySeconds };
    const ending = fifo ? '.fifo' : '';
    const dead = deadLetterQueue ? sqs.createQueue(`${name}-dlq${ending}`, attributes) : undefined;
    const redrive = dead && { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1000 }) };
    sqs.createQueue(`${name}${ending}`, { ...attributes, ...redrive });
  }
  const queueOf = (name: string) => sqs.queue(`${name}${destinations.get(name)?.fifo ? '.fifo' : ''}`);
  const deadLetterQueueOf = (name: string) =>
    sqs.findQueue(`${name}-dlq${destinations.get(name)?.fifo ? '.fifo' : ''}`);
  const lies = (queue: Queue | undefined, { recordIds }: Tracked) =>
    queue !== undefined && queue.size > 0 && queue.messages.some(({ id }) => recordIds.has(id));
  const liesInQueue = (message: Tracked) => lies(queueOf(message.arrival.destination), message);
  const liesDead = (message: Tracked) => {
    const isThere = lies(deadLetterQueueOf(message.arrival.destination), message);
    if (isThere && message.letters === 0) message.redriven = true;
    return isThere;
  };

  const mayBeMovedAway = plan.faults.some(({ kind }) => MOVING.has(kind));
  const deliveries = createDeliveryWatch({
    ledger,
    now,
    destinations,
    liesDead,
    mayBeMovedAway,
    sinceOf(name) {
      const cutover = cutovers.get(name);
      return cutover && { since: STARTS_AT + cutover.sinceMs, share: cutover.share };
    },
  });
  const tokens = createTokenWatch({
    ledger,
    now,
    maxUseSeconds: (client) =>
      Math.min(
        ...plan.destinations
          .filter((one) => one.client === client || one.cutover?.client === client)
          .map((one) => one.maxTokenUseSeconds),
      ),
  });
  const onCalls: Faulted['onCalls'] = {
    node: new Set(),
    token: new Set(),
    aws: new Set(),
    invoke: new Set(),
    deletion: new Set(),
  };

  const network = createNetwork({
    scheduler,
    random: chance('network'),
    keepAliveMs: plan.keepAliveMs,
    hosts: new Map([
      [AUTHORIZATION, authorization.answer],
      [MOVED, authorization.answer],
      [RUNTIME, node.answer],
      [NEW_RUNTIME, node.answer],
    ]),
    fateOf: (exchange) => given(isRuntime(exchange.host) ? onCalls.node : onCalls.token, exchange),
    onStart(exchange) {
      if (isRuntime(exchange.host)) tokens.used(exchange);
      else tokens.request(exchange);
      if (exchange.isMessage) deliveries.call(exchange);
    },
    onEnd(exchange) {
      trace.note(exchange.caller.environment, inWords(exchange));
      if (isRuntime(exchange.host)) tokens.judged(exchange);
      else tokens.answered(exchange);
      deliveries.answered(exchange);
    },
  });
  const aws: AwsOptions = {
    scheduler,
    random: chance('aws'),
    fateOf: (call) => given(onCalls.aws, call),
    perform,
    onEnd(call) {
      trace.note(call.caller.environment, `${call.operation}: ${call.end}`);
      if (call.service === 'sqs' && call.end !== 'ok') deliveries.unconfirmed(call);
      if (call.service === 'secrets') tokens.secretAsked(call);
      if (call.service === 'secrets' && call.end === 'ok') tokens.secretRead(call);
    },
  };

  const queueFunction = startFunction('queue', timeoutSeconds * 1000);
  const webhookFunction = startFunction('webhook', 29_000);
  const senders = createSenders({
    scheduler,
    random: chance('senders'),
    ledger,
    trace,
    store,
    queueOf,
    isSafe: (message) => message.runs.length > 0 || liesInQueue(message) || liesDead(message),
    invokeWebhook: webhookFunction.invoke,
  });
  const triggers = new Map<string, QueueTrigger>();
  const ids = chance('operator');
  const operator = createOperator({ sqs, ledger, trace, now, randomId: () => `again-${ids.between(0, 2 ** 31)}` });
  for (const { name, batchSize, maximumConcurrency } of plan.destinations) trigger(name, batchSize, maximumConcurrency);

  let lastAt = STARTS_AT;
  for (const arrival of plan.arrivals) {
    lastAt = Math.max(lastAt, STARTS_AT + arrival.atMs);
    const destination = destinations.get(arrival.destination);
    if (destination !== undefined) scheduler.after(arrival.atMs, () => senders.send(arrival, destination));
  }
  const faulted = createFaulted();
  for (const fault of plan.faults) {
    lastAt = Math.max(lastAt, STARTS_AT + fault.toMs);
    const known = FAULTS[fault.kind];
    if (known === undefined) throw new Error(`there is no fault ${fault.kind}`);
    scheduler.after(fault.fromMs, () => {
      trace.note('FAULT', `${fault.kind} begins`);
      const end = known.begin(faulted, fault, () => ledger.count('faults', fault.kind));
      if (end === undefined) return;
      scheduler.after(fault.toMs - fault.fromMs, () => {
        end();
        trace.note('FAULT', `${fault.kind} is over`);
      });
    });
  }

  for (const { name, cutover } of plan.destinations) {
    const { change } = cutover ?? {};
    if (change !== undefined) scheduler.after(change.atMs, () => changeCutover(name, change.to));
  }
  if (watch !== undefined) scheduler.after(MINUTE_MS, watchQueues);

  const isOver = () => ledger.violations.length > 0;
  await scheduler.run(isOver, lastAt);
  mend();
  // Looking at every message costs more than what happens between two looks.
  const isAtRest = () =>
    isOver() || (scheduler.events % 64 === 0 && now() > lastAt && senders.waiting === 0 && allQueues().every(isDone));
  await scheduler.run(isAtRest, lastAt + REST_WITHIN_MS);
  if (!isOver()) {
    const idsIn = (queue: Queue | undefined) => (queue?.messages ?? []).map(({ id }) => id);
    const dead = new Set(plan.destinations.flatMap(({ name }) => idsIn(deadLetterQueueOf(name))));
    const waiting = new Set(plan.destinations.flatMap(({ name }) => idsIn(queueOf(name))));
    settle({
      ledger,
      liesDead: ({ recordIds }) => [...recordIds].some((id) => dead.has(id)),
      liesInQueue: ({ recordIds }) => [...recordIds].some((id) => waiting.has(id)),
      mayStay,
      isExpired: ({ sentAt, letters, arrival }) =>
        now() - sentAt >= RETENTION_MS && (letters > 0 || !takesLetters(arrival.destination)),
    });
  }
  ledger.count('messages', 'sent', ledger.messages.length);
  return { ledger, trace: trace.lines, events: scheduler.events, lastedMs: now() - STARTS_AT };

  /** Deployed once no outcome can be unknown: the operator looks each minute. */
  function changeCutover(name: string, to: NonNullable<CutoverPlan['change']>['to']): void {
    const isEmpty = queueOf(name).size === 0 && (deadLetterQueueOf(name)?.size ?? 0) === 0;
    if (!isEmpty || queueFunction.isAtWork || webhookFunction.isAtWork) {
      if (now() < lastAt) scheduler.after(MINUTE_MS, () => changeCutover(name, to));
      return;
    }
    cutovers.set(name, to);
    queueFunction.recycle();
    webhookFunction.recycle();
    ledger.count('cut-overs', to === undefined ? 'taken out' : 'changed');
    trace.note('operator', to === undefined ? `ends the cut-over of ${name}` : `changes the cut-over of ${name}`);
  }

  function watchQueues(): void {
    for (const { name } of plan.destinations) {
      for (const queue of [queueOf(name), deadLetterQueueOf(name)]) if (queue !== undefined) watch?.queue(queue, now());
    }
    scheduler.after(MINUTE_MS, watchQueues);
  }

  /**
   * A lane stands behind a letter that cannot be written for longer than SQS keeps a message: SQS drops the last of it.
   */
  function takesLetters(name: string): boolean {
    const destination = destinations.get(name);
    const isClosed = plan.faults.some(
      (fault) =>
        fault.kind === 'queue: dead-letter queue denied' && fault.destination === name && fault.toMs >= RETENTION_MS,
    );
    return destination?.deadLetterQueue === true && !(isClosed && destination.fifo);
  }

  function allQueues(): { name: string; queue: Queue }[] {
    return plan.destinations.map(({ name }) => ({ name, queue: queueOf(name) }));
  }

  function isDone({ name, queue }: { name: string; queue: Queue }): boolean {
    if (queue.size === 0) return true;
    return !destinations.get(name)?.deadLetterQueue && queue.messages.every(({ id }) => mayStay(ledger.ofRecord(id)));
  }

  /** Without a dead-letter queue what is rejected stays, and in FIFO whatever is behind it. */
  function mayStay(message: Tracked | undefined): boolean {
    if (message === undefined) return false;
    const { arrival } = message;
    if (destinations.get(arrival.destination)?.deadLetterQueue) return false;
    const isHopeless = ({ verdict, form }: typeof arrival) =>
      verdict >= 400 || form === 'unreadable' || form === 'missing in S3' || form === 'unsendable header';
    if (isHopeless(arrival)) return true;
    const place = Number(message.place);
    return ledger.laneOf(message).some((other) => Number(other.place) < place && isHopeless(other.arrival));
  }

  function startFunction(entry: Entry, timeoutMs: number): Lambda {
    const random = chance(`lambda ${entry}`);
    let started = 0;
    return createLambda({
      scheduler,
      random,
      timeoutMs,
      idleMs: plan.idleMs,
      // As an account may set it for webhooks; queues have their own maximum.
      maxConcurrency: entry === 'webhook' ? 6 : 1_000,
      start(onDeath) {
        started += 1;
        ledger.count('environments', entry);
        return createEnvironment({
          name: `${entry}-${started}`,
          bundle,
          entry,
          scheduler,
          network,
          aws,
          random: chance(`${entry}-${started}`),
          clockAheadMs: random.chance(0.8) ? 0 : random.between(-3_000, 3_000),
          variables: {
            AWS_REGION: 'eu-central-1',
            AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
            DESTINATIONS: JSON.stringify(Object.fromEntries(plan.destinations.map(settingsOf))),
          },
          log(line) {
            ledger.log(line);
            watch?.log(line);
          },
          onDeath,
        });
      },
      onStart(invocation) {
        const { Records: records = [] } = invocation.event as { Records?: { messageId: string }[] };
        deliveries.invoked(invocation);
        const names = records.map(({ messageId }) => `m${ledger.ofRecord(messageId)?.arrival.number}`);
        trace.note(invocation.environment, `is invoked ${names.join(' ')}`);
      },
      onEnd(invocation, cause) {
        trace.note(invocation.environment, `${invocation.end} ${JSON.stringify(invocation.reply)?.slice(0, 60) ?? ''}`);
        ledger.count('invocations', `${invocation.end}`);
        watch?.ended(entry, invocation);
        if (invocation.end === 'timed out')
          ledger.violate('every reply leaves before its deadline', invocation.environment);
        if (invocation.end === 'threw')
          ledger.violate('an invocation never throws', cause instanceof Error ? `${cause.stack}` : String(cause));
        if (invocation.end === 'replied') deliveries.replied(invocation);
      },
    });
  }

  function settingsOf({ name, fifo, ...destination }: (typeof plan.destinations)[number]): [string, object] {
    const dead = deadLetterQueueOf(name);
    const settings = {
      secret: `cpi/${destination.client}`,
      url: `${RUNTIME}/http/${name}`,
      queue: queueOf(name).arn,
      fifo,
      tokenFormat: destination.tokenFormat,
      maxTokenUseSeconds: destination.maxTokenUseSeconds,
      csrf: destination.csrf,
      timeoutSeconds: destination.timeoutSeconds,
      concurrency: destination.concurrency,
      retryForHours: destination.retryForHours,
      payloadBuckets: [BUCKET],
      forwardHeaders: FORWARDED,
      ...cutoverOf(name, destination.cutover),
      ...(dead === undefined ? {} : { deadLetterQueueUrl: dead.url }),
      ...(destination.webhook ? { webhook: webhookOf(name, fifo, destination.webhook) } : {}),
    };
    return [name, settings];
  }

  function cutoverOf(name: string, plan: CutoverPlan | undefined): object {
    const now = cutovers.get(name);
    if (plan === undefined || now === undefined) return {};
    return {
      cutover: {
        secret: `cpi/${plan.client}`,
        url: `${NEW_RUNTIME}/http/${newSideOf(name)}`,
        csrf: plan.csrf,
        since: new Date(STARTS_AT + now.sinceMs).toISOString(),
        share: now.share,
      },
    };
  }

  /** The event source mapping of a queue, with what may go wrong before and after an invocation. */
  function trigger(name: string, batchSize: number, maximumConcurrency: number): void {
    const queue = queueOf(name);
    const recordIds = new Map<string, string>();
    const deleting = Object.create(queue, {
      delete: {
        value(handle: string) {
          try {
            if (given(onCalls.deletion, handle) !== undefined)
              throw new AwsError('com.amazonaws.sqs#RequestThrottled', 400, 'simulated');
            queue.delete(handle);
          } catch (error) {
            const message = ledger.ofRecord(recordIds.get(handle) ?? '');
            if (message !== undefined) message.undeleted += 1;
            throw error;
          }
        },
      },
    }) as Queue;
    const started = startQueueTrigger({
      queue: deleting,
      batchSize,
      maximumConcurrency,
      now,
      setTimer: (run, ms) => scheduler.after(ms, run),
      async invoke(event) {
        const fate = given(onCalls.invoke, event);
        if (fate === 'not invoked') {
          await passing(1_000);
          return { ok: false, errorType: 'TooManyRequestsException', errorMessage: 'simulated' };
        }
        for (const { receiptHandle, messageId } of event.Records) recordIds.set(receiptHandle, messageId);
        await passing(5);
        watch?.invoked(name, event.Records.length, now());
        const result = await queueFunction.invoke(event);
        await passing(5);
        if (fate === 'result lost' && result.ok) {
          ledger.books(result.invocation).isResultLost = true;
          return { ok: false, errorType: 'ServiceException', errorMessage: 'simulated' };
        }
        return result;
      },
    });
    triggers.set(name, started);
  }

  function passing(ms: number): Promise<void> {
    return new Promise((resolve) => {
      scheduler.after(ms, resolve);
    });
  }

  function perform(call: Call): JsonObject {
    const { service, operation, input } = call;
    if (service === 'secrets') return callSecretsManager(secretsService, operation, input);
    if (service === 's3') return store.call(operation, input);
    const target = sqs.findQueue(String(input.QueueUrl).split('/').at(-1) ?? '');
    const before = target?.size ?? 0;
    const output = sqs.call(operation, input);
    const isStored = operation === 'SendMessage' && (target?.size ?? 0) > before;
    const recordId = String(output.MessageId);
    deliveries.performed(call, isStored, recordId);
    return output;
  }

  function createSecrets() {
    const put = (name: string, value: object) => {
      const secret = secretsService.lookUp(name) ?? secretsService.create(name);
      secret.deletionAt = undefined;
      secret.put(secretsService.newId(), { string: JSON.stringify(value) }, ['AWSCURRENT']);
    };
    let host = AUTHORIZATION;
    const keyOf = (client: string) =>
      JSON.parse(JSON.stringify(authorization.account.serviceKey(client, RUNTIME)).replace(AUTHORIZATION, host));
    for (const client of clients) put(`cpi/${client}`, keyOf(client));
    for (const { name, webhook } of plan.destinations) if (webhook) put(`webhooks/${name}`, WEBHOOK_USER);
    const random = bytesOf(chance('ahead'));
    return {
      store: (client: string) => put(`cpi/${client}`, keyOf(client)),
      move(isMoved: boolean) {
        const former = host;
        host = isMoved ? MOVED : AUTHORIZATION;
        for (const client of clients) put(`cpi/${client}`, keyOf(client));
        return former;
      },
      storeAhead(client: string) {
        const ahead = `CONFIDENTIAL-${Buffer.from(random(9)).toString('hex')}`;
        const text = JSON.stringify(keyOf(client)).replace(
          JSON.stringify(authorization.account.client(client)?.clientSecret),
          JSON.stringify(ahead),
        );
        put(`cpi/${client}`, JSON.parse(text));
        return () => {
          authorization.account.rotateClientSecret(client, ahead);
        };
      },
      storeMalformed: (client: string) => put(`cpi/${client}`, { note: 'CONFIDENTIAL-malformed' }),
      setTrouble(client: string, trouble: Parameters<Faulted['secrets']['setTrouble']>[1], on: boolean) {
        const secret = secretsService.lookUp(`cpi/${client}`);
        if (trouble !== 'marked for deletion') secretsService.setTrouble(`cpi/${client}`, trouble, on);
        else if (secret !== undefined) secret.deletionAt = on ? now() + 30 * 86_400_000 : undefined;
      },
    };
  }

  function createFaulted(): Faulted {
    return {
      onCalls,
      authorization,
      node,
      secrets,
      clientOf(name) {
        const destination = destinations.get(destinationIn(name));
        return (isNewSide(name) ? destination?.cutover?.client : destination?.client) ?? '';
      },
      queueOf,
      deadLetterQueueOf,
      setVisibility,
      denyAccess: ({ name }, on) => sqs.denyAccess(name, on),
      setClockSkew: (aheadMs) => {
        skewMs = aheadMs;
      },
      kill: (pick, atLeave) => queueFunction.kill(pick, atLeave) || webhookFunction.kill(pick, atLeave),
      recycle() {
        queueFunction.recycle();
        webhookFunction.recycle();
      },
      replay(name) {
        const queue = deadLetterQueueOf(name);
        if (queue !== undefined)
          operator.replay(queue).catch((error) => ledger.violate('the operator', `${error.stack}`));
      },
      setPolling,
      denyListing: store.denyListing,
      deliverAgain(queue, messageId) {
        const message = ledger.ofRecord(messageId);
        if (message !== undefined) message.deliveredAgain += 1;
        queue.deliverAgain(messageId);
      },
      repeat(everyMs, run) {
        let cancel = scheduler.after(everyMs, again);
        function again(): void {
          run();
          cancel = scheduler.after(everyMs, again);
        }
        return () => cancel();
      },
    };
  }

  function setVisibility(name: string, seconds: number | undefined): void {
    queueOf(name).setAttributes({ VisibilityTimeout: String(seconds ?? visibilitySeconds) });
  }

  function setPolling(name: string, on: boolean): void {
    if (on) triggers.get(name)?.resume();
    else triggers.get(name)?.pause();
  }

  /** What operators do in the end: everything is as it should be. */
  function mend(): void {
    skewMs = 0;
    store.denyListing(false);
    authorization.server.setExpiresIn('true');
    authorization.server.issueSameTokenAgain(false);
    for (const client of clients) {
      authorization.assignRole(client, true);
      secrets.setTrouble(client, 'access denied', false);
      secrets.setTrouble(client, 'key disabled', false);
      secrets.store(client);
    }
    for (const { name } of plan.destinations) {
      node.deploy(name, true);
      node.deploy(newSideOf(name), true);
      setVisibility(name, undefined);
      setPolling(name, true);
    }
    trace.note('operator', 'everything is mended');
  }
}

/** An exception, or what a server before the flow might say as well, with the id of the log that only a flow has. */
function failureOf({ arrival: { number }, attempts }: Tracked, mplId: string): FlowResult {
  const status = [500, 401, 403, 404][(number + attempts) % 4];
  if (status === 500 || status === undefined) return 'exception';
  return { status, body: `The MPL ID for the failed message is : ${mplId}` };
}

function webhookOf(name: string, fifo: boolean, mode: string | undefined): object {
  return { verify: 'basic', secret: `webhooks/${name}`, mode, ...(fifo ? { messageGroupId: 'x-lane' } : {}) };
}

function given<Subject, Result>(givers: ReadonlySet<Giver<Subject, Result>>, subject: Subject): Result | undefined {
  for (const giver of givers) {
    const result = giver(subject);
    if (result !== undefined) return result;
  }
  return undefined;
}

function inWords({ number, method, path, headers, fate, status, end }: Exchange): string {
  const id = headers.sap_applicationid === undefined ? '' : ` ${headers.sap_applicationid}`;
  const why =
    fate === undefined
      ? ''
      : ` (${typeof fate === 'string' ? fate : 'slowMs' in fate ? `slow ${fate.slowMs} ms` : 'in front'})`;
  return `#${number} ${method} ${path.split('?')[0]}${id}: ${status ?? 'no answer'}, ${end}${why}`;
}
