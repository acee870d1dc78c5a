/**
 * The user's own destinations on the landscape: for each a client with its secret, a flow, the queues, its buckets, and
 * what its webhook's senders prove themselves with. What addresses AWS or SAP in the settings addresses the landscape then.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Queue } from '../aws/sqs/sqs.ts';
import { type DeployedFlow, deployFlow, type RegisteredClient, registerClient } from '../destination.ts';
import type { Landscape, LocalDestination, Surroundings } from '../landscape.ts';
import { endpointPath } from '../sap/runtime-node/integration-flow.ts';
import { type PlacedFlow, placeFlow } from './flow.ts';
import type { Issuers } from './issuer.ts';
import { madeUp, madeUpClientId } from './made-up.ts';
import type { Package } from './package.ts';
import { newSideOf, type QueuePlan, queuePlan, type Written, type WrittenCutover, waysOf } from './settings.ts';
import { proofs } from './webhook-secret.ts';

export interface OwnDestination {
  readonly name: string;
  readonly settings: Written;
  readonly destination: LocalDestination;
  /** Below the runtime node's URL. */
  readonly target: string;
  /** What is not as one might think, a sentence each. */
  readonly notes: readonly string[];
  /** As they lie in Secrets Manager. */
  readonly credentials: object;
  /** Those of a cut-over's new side. */
  readonly newSideCredentials?: object;
}

type Entry = readonly [name: string, settings: Written];

export function entriesOf({ destinations }: Package): Entry[] {
  return Object.entries(destinations) as [string, Written & Package['destinations'][string]][];
}

/** Whether a client has a certificate, which SAP's side asks for over TLS alone. */
export function needsTls(entries: readonly Entry[]): boolean {
  return sidesOf(entries).some(([, { authentication }]) => authentication === 'certificate');
}

/** Each as it is, and with a cut-over its new side, which has a name that no destination can have. */
function sidesOf(entries: readonly Entry[]): Entry[] {
  return entries.flatMap(([name, settings]): Entry[] => {
    const newSide = newSideOf(settings);
    return newSide === undefined
      ? [[name, settings]]
      : [
          [name, settings],
          [`${name}.cutover`, newSide],
        ];
  });
}

export function needsIssuers(entries: readonly Entry[]): boolean {
  return entries.some(([, { webhook }]) => webhook !== undefined && waysOf(webhook).some(({ type }) => type === 'jwt'));
}

/** @param issuers there where `needsIssuers` */
export async function connectOwn(
  made: Package,
  landscape: Landscape,
  issuers: Issuers | undefined,
): Promise<OwnDestination[]> {
  const entries = entriesOf(made);
  for (const bucket of new Set(entries.flatMap(([, settings]) => bucketsOf(settings)))) {
    await createBucket(bucket, landscape);
  }
  for (const [name, proof] of proofs(entries.map(([, settings]) => settings))) {
    landscape.secretsManager.put(secretName(name), proof);
  }
  const clients = new Map<string, Client>();
  const flows = new Map<string, DeployedFlow>();
  return entries.map((entry) => connect(entry, { made, landscape, issuers, entries, clients, flows }));
}

type Client = ReturnType<typeof registerClient>;

const NO_SCOPE = 'scope is not asked for: the landscape knows no scopes but its own';

interface Connecting {
  readonly made: Package;
  readonly landscape: Landscape;
  readonly issuers: Issuers | undefined;
  readonly entries: readonly Entry[];
  /** By the name of the secret, which destinations may share. */
  readonly clients: Map<string, Client>;
  /** By the path of their endpoint, which destinations may share, too. */
  readonly flows: Map<string, DeployedFlow>;
}

function connect([name, settings]: Entry, connecting: Connecting): OwnDestination {
  const { made, landscape, issuers, entries, clients, flows } = connecting;
  const secret = secretName(settings.secret);
  const placed = placeFlow(name, settings);
  const { flow, notes: ofFlow } = flowOf(placed, name, flows, landscape.runtimeNode);
  const [, newSide] = sidesOf([[name, settings]]);
  const newlyPlaced = newSide === undefined ? undefined : placeFlow(...newSide);
  const cutover = newlyPlaced === undefined ? undefined : localCutover(settings, { placed, newlyPlaced, landscape });
  const notes = [
    ...ofFlow,
    ...(settings.scope === undefined ? [] : [NO_SCOPE]),
    ...(newSide === undefined || newlyPlaced === undefined
      ? []
      : cutover === undefined
        ? [SAME_SIDES]
        : notesOfNewSide(newSide, newlyPlaced, flows, landscape.runtimeNode)),
  ];
  const plan = queuePlan(name, settings, made);
  const client = (of: string, within: Surroundings): Client => {
    const registered = clients.get(of) ?? registerOwn(of, sidesOf(entries), within);
    clients.set(of, registered);
    return registered;
  };
  let credentials: object = {};
  let newSideCredentials: object | undefined;
  const destination = landscape.add((within) => {
    const { credentials: current, ...registered } = client(secret, within);
    credentials = current();
    if (cutover?.secret !== undefined) newSideCredentials = client(cutover.secret, within).credentials();
    return {
      ...registered,
      name,
      secret,
      ...createQueues(plan, within),
      settings: localSettings(name, settings, { placed, plan, issuers, cutover, within }),
      polling: plan,
      trigger: undefined,
      get flow() {
        return flow.deployed;
      },
      redeployFlow: flow.redeploy,
    };
  });
  return {
    name,
    settings,
    destination,
    target: placed.target,
    notes,
    credentials,
    ...(newSideCredentials === undefined ? {} : { newSideCredentials }),
  };
}

const SAME_SIDES = 'cutover is left out: here, where there is one tenant, both sides are the same';

/**
 * A cut-over in which nothing addresses SAP: both sides are on the one runtime node.
 *
 * @returns undefined where nothing differs then, which the relay would refuse
 */
function localCutover(
  { cutover, ...own }: Written,
  {
    placed,
    newlyPlaced,
    landscape,
  }: { readonly placed: PlacedFlow; readonly newlyPlaced: PlacedFlow; readonly landscape: Landscape },
): WrittenCutover | undefined {
  if (cutover === undefined) return undefined;
  const { url: ofNode } = landscape.runtimeNode;
  const local = <Side extends Partial<Written>>({ scope: _, ...side }: Side, { target }: PlacedFlow) => ({
    ...side,
    ...(side.secret === undefined ? {} : { secret: secretName(side.secret) }),
    ...(side.url === undefined ? {} : { url: `${ofNode}${target}` }),
  });
  const { since, share, ...side } = cutover;
  const [old, differing]: Readonly<Record<string, unknown>>[] = [local(own, placed), local(side, newlyPlaced)];
  const isSame = Object.entries(differing ?? {}).every(([field, value]) => isDeepStrictEqual(value, old?.[field]));
  return isSame ? undefined : { ...differing, since, ...(share === undefined ? {} : { share }) };
}

function notesOfNewSide(
  [name, settings]: Entry,
  placed: PlacedFlow,
  flows: Map<string, DeployedFlow>,
  runtimeNode: Landscape['runtimeNode'],
): string[] {
  const { notes } = flowOf(placed, name, flows, runtimeNode);
  const where = `new side, at the same runtime node: ${placed.target.split('?')[0]} by ${secretName(settings.secret)}`;
  return [where, ...notes.map((note) => `new side: ${note}`)];
}

function registerOwn(secret: string, entries: readonly Entry[], within: Surroundings): Client & RegisteredClient {
  const users = entries.filter(([, settings]) => secretName(settings.secret) === secret);
  const client = {
    clientId: madeUpClientId(secret),
    ...(needsTls(users)
      ? { credentialType: 'certificate' as const }
      : { clientSecret: madeUp(`client secret of ${secret}`) }),
  };
  return registerClient({ name: users[0]?.[0] ?? secret, secret, client }, within);
}

/** Where nothing can listen, a flow that nobody reaches stands for it. */
function flowOf(
  { deployment, note }: PlacedFlow,
  name: string,
  flows: Map<string, DeployedFlow>,
  runtimeNode: Landscape['runtimeNode'],
): { readonly flow: DeployedFlow; readonly notes: readonly string[] } {
  const notes = note === undefined ? [] : [note];
  if (deployment === undefined) {
    return { flow: deployFlow({ name, address: `/nothing-listens-for/${name}` }, runtimeNode), notes };
  }
  const endpoint = endpointPath(deployment);
  const found = flows.get(endpoint);
  const flow = found ?? deployFlow(deployment, runtimeNode);
  flows.set(endpoint, flow);
  if (found === undefined) return { flow, notes };
  const { deployed } = found;
  if (deployed.sender !== deployment.sender) {
    return { flow, notes: [...notes, `${deployed.name} has ${endpoint} already, with adapter ${deployed.sender}`] };
  }
  // With a wildcard it serves both.
  if (deployment.address.endsWith('/*')) found.redeploy({ address: deployment.address });
  return { flow, notes: [...notes, `shares the flow of ${deployed.name}`] };
}

/** The queues that the stack would create, and existing ones as their owner is told to set them. */
function createQueues(plan: QueuePlan, { sqs }: Surroundings): { queue: Queue; deadLetterQueue: Queue } {
  const common = {
    MessageRetentionPeriod: '1209600',
    ...(plan.name.endsWith('.fifo') ? { FifoQueue: 'true' } : {}),
  };
  const deadLetterQueue = sqs.createQueue(plan.deadLetterName, common);
  const queue = sqs.createQueue(plan.name, {
    ...common,
    VisibilityTimeout: String(plan.visibilityTimeoutSeconds),
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetterQueue.arn, maxReceiveCount: 1000 }),
  });
  return { queue, deadLetterQueue };
}

interface Local {
  readonly placed: PlacedFlow;
  readonly plan: QueuePlan;
  readonly issuers: Issuers | undefined;
  readonly cutover: WrittenCutover | undefined;
  readonly within: Surroundings;
}

function localSettings(name: string, settings: Written, { placed, plan, issuers, cutover, within }: Local) {
  const { sqs, runtimeNode } = within;
  const { scope: _, cutover: _cutover, ...kept } = settings;
  const { queueUrl, deadLetterQueueUrl, webhook } = settings;
  const queue = sqs.queue(plan.name);
  // A webhook may send to another queue than the one that is polled.
  const sendsTo = queueUrl === undefined ? queue : sqs.createQueue(lastOf(queueUrl), fifoAttributes(lastOf(queueUrl)));
  const hasDeadLetters = !plan.isExisting || deadLetterQueueUrl !== undefined;
  return {
    ...kept,
    secret: secretName(settings.secret),
    ...(settings.url === undefined ? {} : { url: `${runtimeNode.url}${placed.target}` }),
    queue: queue.arn,
    queueUrl: queueUrl === undefined || lastOf(queueUrl) === plan.name ? queue.url : sendsTo.url,
    ...(hasDeadLetters ? { deadLetterQueueUrl: sqs.queue(plan.deadLetterName).url } : {}),
    ...(webhook === undefined ? {} : { webhook: localWebhook(name, webhook, issuers) }),
    ...(cutover === undefined ? {} : { cutover }),
  };
}

function localWebhook(name: string, webhook: NonNullable<Written['webhook']>, issuers: Issuers | undefined) {
  const ways = [webhook.verify].flat().map((written, index) => {
    if (typeof written !== 'object' || written === null) return written;
    const way = written as { readonly type: string; readonly secret?: string; readonly jwksUri?: string };
    if (way.type === 'jwt') {
      const { jwksUri: _, ...rest } = way;
      return { ...rest, issuer: issuers?.issuer(issuerPath(name, index)) };
    }
    return way.secret === undefined ? way : { ...way, secret: secretName(way.secret) };
  });
  const { secret } = webhook;
  return { ...webhook, verify: ways, ...(secret === undefined ? {} : { secret: secretName(secret) }) };
}

/** Of the issuer of a destination's own. @param index of the way in the settings */
export function issuerPath(name: string, index: number): string {
  return `/${name}/${index + 1}`;
}

/** By its name, as it is kept here, whatever the account and the six characters that end an ARN. */
export function secretName(secret: string): string {
  return /^arn:aws[\w-]*:secretsmanager:[^:]*:\d*:secret:(.+)-\w{6}$/.exec(secret)?.[1] ?? secret;
}

function bucketsOf({ payloadBucket, payloadBuckets = [] }: Written): string[] {
  return [...(payloadBucket === undefined ? [] : [payloadBucket]), ...payloadBuckets];
}

async function createBucket(name: string, { s3 }: Landscape): Promise<void> {
  const { status } = await fetch(`${s3?.url}/${name}`, { method: 'PUT' });
  if (status !== 200) throw new Error(`S3 answered ${status} to the creation of bucket ${name}`);
}

function lastOf(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}

function fifoAttributes(name: string): Record<string, string> {
  return name.endsWith('.fifo') ? { FifoQueue: 'true' } : {};
}
