/**
 * The OData sender adapter (V2): a request to an entity set or an entity is one message of the flow, each operation of
 * a `$batch` is one too, and what the flow does not answer itself its entity sets answer. Wire formats, sets and
 * batches have files of their own.
 */
import type { Answer, Request } from '../../../server/server.ts';
import { type RandomBytes, uuid } from '../../identifiers.ts';
import type { Exchange } from '../exchange.ts';
import { failureText, mplIdHeader, mplIdText, returnedHeaders } from '../https-sender.ts';
import { endpointPath, type IntegrationFlow } from '../integration-flow.ts';
import { failureOf, type Outcome, type Received } from '../message.ts';
import { answerBatch } from './batch.ts';
import type { Entity, ODataOperation } from './channel.ts';
import { createEntitySets, type EntitySets } from './entity-sets.ts';
import { errorAnswer, ODataError } from './odata-error.ts';
import { checkProtocol, methodOf } from './protocol.ts';
import { formatFor, type Located, readEntity, represent } from './representation.ts';
import { entityPath, type Resource, readResourcePath } from './resource-path.ts';
import { metadataDocument, serviceDocument } from './service-document.ts';

export interface ODataSenderOptions {
  readonly random: RandomBytes;
  /** Of the node's URL. */
  readonly scheme: 'http' | 'https';
}

/** Answers for every OData flow of a node; a flow's entity sets live as long as its deployment. */
export function createODataSender({ random, scheme }: ODataSenderOptions): (exchange: Exchange) => Promise<Answer> {
  const setsOf = new WeakMap<IntegrationFlow, EntitySets>();

  function entitySets(flow: IntegrationFlow): EntitySets {
    const sets = setsOf.get(flow) ?? createEntitySets(flow.odata, () => uuid(random));
    setsOf.set(flow, sets);
    return sets;
  }

  /** `batch`: the operation came in one, in which there is no second. */
  async function answer(exchange: Exchange, request: Request, batch: boolean): Promise<Answer> {
    const { flow } = exchange;
    const sets = entitySets(flow);
    const servicePath = endpointPath(flow);
    const root = `${scheme}://${request.headers.host}${servicePath}/`;
    const format = formatFor(request);
    try {
      // In a batch an operation says its method in its own request line.
      const method = batch ? request.method : methodOf(request);
      checkProtocol(request);
      const keyNameOf = (entitySet: string): string => sets.definition(entitySet).key;
      const resource = readResourcePath(request.path.slice(servicePath.length), keyNameOf);
      if (resource.kind === 'service-document' && method === 'GET')
        return serviceDocument(format, root, sets.definitions);
      if (resource.kind === 'metadata' && method === 'GET') return metadataDocument(sets.definitions);
      if (resource.kind === 'batch' && method === 'POST' && !batch) {
        const operate = (inner: Request): Promise<Answer> => answer(exchange, inner, true);
        return await answerBatch(request, { servicePath, newBoundary: () => uuid(random), operate });
      }
      const operation = operationFor(method, resource, batch);
      const { sap_applicationid: messageId } = request.headers;
      const entity = entityOf(operation, request, sets);
      const part = { method, body: request.body, odata: operation, messageId };
      const service = { flow, sets, request, root, entity };
      return await exchange.run(part, (outcome, received) => shape(outcome, received, service));
    } catch (error) {
      if (error instanceof ODataError) return errorAnswer(format, error);
      throw error;
    }
  }

  return (exchange) => answer(exchange, exchange.request, false);
}

function operationFor(method: string, resource: Resource, batch: boolean): ODataOperation {
  if (resource.kind === 'entity-set') {
    const kind = ({ GET: 'query', POST: 'create' } as const)[method];
    if (kind !== undefined) return { kind, entitySet: resource.entitySet, key: undefined, batch };
  }
  if (resource.kind === 'entity') {
    const kind = ({ GET: 'read', PUT: 'update', MERGE: 'merge', PATCH: 'merge', DELETE: 'delete' } as const)[method];
    if (kind !== undefined) return { kind, entitySet: resource.entitySet, key: resource.key, batch };
  }
  throw new ODataError(405, 'The request dispatcher does not allow the HTTP method used for the request.');
}

/** Read before the flow runs, as Olingo does for its processors; empty where an operation carries none. */
function entityOf({ kind, entitySet }: ODataOperation, request: Request, sets: EntitySets): Entity {
  const carries = kind === 'create' || kind === 'update' || kind === 'merge';
  return carries ? readEntity(request, sets.definition(entitySet)) : {};
}

interface Service {
  readonly flow: IntegrationFlow;
  readonly sets: EntitySets;
  readonly request: Request;
  readonly root: string;
  readonly entity: Entity;
}

function shape({ result, duplicate }: Outcome, received: Received, service: Service): Answer {
  const { flow, request } = service;
  const format = formatFor(request);
  const failure = failureOf(result);
  if (failure !== undefined) {
    const client = typeof result === 'object' && 'fault' in result && result.fault === 'client';
    const detail = failure === '' || !flow.returnException ? '' : `${failure} `;
    const message = failureText(detail, received.mplId);
    const answer = errorAnswer(format, client ? { status: 400, message: failure } : { status: 500, message });
    return { ...answer, headers: { ...mplIdHeader(flow, received), ...answer.headers } };
  }
  const answered = (result as Answer | undefined) ?? (duplicate ? { status: 204 } : operated(received, service));
  if (answered.status < 300 && answered.status !== 204 && (answered.body ?? '').length === 0) {
    const message = `The response payload of the integration flow is empty. The MPL ID for the failed message is : ${received.mplId}`;
    return errorAnswer(format, { status: 500, message });
  }
  const text = answered.body === undefined ? mplIdText(flow, received, answered.status) : undefined;
  if (text !== undefined && answered.status >= 300) {
    return errorAnswer(format, { status: answered.status, message: text });
  }
  return { ...answered, headers: { ...returnedHeaders(flow, received), ...answered.headers } };
}

/** What the entity sets make of an operation. */
function operated({ odata }: Received, { sets, request, root, entity }: Service): Answer {
  const format = formatFor(request);
  if (odata === undefined) throw new Error('odata: a message of this sender has an operation');
  const { kind, entitySet, key = '' } = odata;
  const located = (held: Entity): Located => {
    const { key: keyName } = sets.definition(entitySet);
    return { entity: held, entitySet, url: `${root}${entityPath(entitySet, String(held[keyName]))}` };
  };
  const whole = (
    status: number,
    entities: Located | readonly Located[],
    headers: Record<string, string> = {},
  ): Answer => {
    const { type, body } = represent(format, entities);
    return { status, headers: { 'Content-Type': type, DataServiceVersion: '2.0', ...headers }, body };
  };
  try {
    if (kind === 'query') return whole(200, page(sets.query(entitySet), request).map(located));
    if (kind === 'read') return whole(200, located(sets.read(entitySet, key)));
    if (kind === 'create') {
      const created = located(sets.create(entitySet, entity));
      return whole(201, created, { Location: created.url });
    }
    if (kind === 'delete') sets.delete(entitySet, key);
    else sets[kind](entitySet, key, entity);
    return { status: 204, headers: { DataServiceVersion: '2.0' } };
  } catch (error) {
    if (error instanceof ODataError) return errorAnswer(format, error);
    throw error;
  }
}

/** `$skip` and `$top`; the other options are known and not carried out. */
function page<Item>(items: readonly Item[], { query }: Request): readonly Item[] {
  const skip = Number(query.get('$skip') ?? 0);
  const top = query.get('$top');
  return items.slice(skip, top === null ? undefined : skip + Number(top));
}
