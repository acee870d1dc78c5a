/**
 * What SAP's OData (V2) sender adapter wants of a call: answers asked for as JSON, and a CSRF token of the service
 * beforehand. What its answers say beyond the status: the error's code and message, and of a batch what became of each
 * operation in it.
 *
 * @see SAP Help, "Configure the OData Sender Adapter", "Invoking an OData API"
 */
import type { HttpAnswer } from '../../../http/http.ts';
import { type Message, payloadOf } from '../../../message/message.ts';
import type { Destination, ODataSettings } from '../../../settings/destination.ts';
import type { Token } from '../../../token/token-endpoint.ts';
import type { Finding } from '../../outcome.ts';
import { type Adapter, type AdapterOptions, createAdapter, type Shape } from '../adapter.ts';
import { mediaTypeOf } from '../charset.ts';
import { restOf } from '../path.ts';
import { BATCH, readBatch } from './batch.ts';
import { meaningOf, toldIn } from './finding.ts';
import { operationsAsked } from './multipart.ts';

/** An answer to a batch has as many answers in it as the batch operations. */
const BATCH_ANSWER_BYTES = 4_194_304;

export function odataAdapter(options: AdapterOptions<Destination & ODataSettings>): Adapter {
  const { pathFrom, resendPartialBatch, contentType: usual } = options.destination;

  function shape(message: Message): Shape | Promise<Shape> {
    const headers = { Accept: 'application/json' };
    return mediaTypeOf(message.contentType ?? usual) === BATCH ? batchShape(message, headers) : { headers };
  }

  async function read(
    answer: HttpAnswer,
    message: Message,
    token: Token,
    { body }: Shape,
  ): Promise<Finding | undefined> {
    const { contentType = usual } = message;
    const { status, headers } = answer;
    if (status >= 200 && status < 300) {
      const batch = { token, resendPartialBatch };
      if (body === undefined) {
        return mediaTypeOf(headers['content-type']) === BATCH ? readBatch(answer, batch) : undefined;
      }
      return readBatch(answer, { ...batch, asked: operationsAsked(await payloadOf({ body }), contentType) });
    }
    const told = await toldIn(answer, token);
    const isNamed = pathFrom !== undefined && restOf(message, pathFrom) !== '';
    return told === undefined ? undefined : { ...meaningOf(status, isNamed), ...told };
  }

  return createAdapter(options, { shape, read, csrfUrl: serviceRoot });
}

/** Its operations are counted once it is answered, which must not depend on fetching it once more. */
async function batchShape(message: Message, headers: Record<string, string>): Promise<Shape> {
  const bytes = await payloadOf(message);
  return { headers, keepBytes: BATCH_ANSWER_BYTES, body: { bytes: bytes.byteLength, open: () => bytes } };
}

/** Where reading runs no flow: the service document, which is made of the service's metadata. */
function serviceRoot(endpoint: URL): URL {
  const url = new URL(endpoint);
  const root = /^(.*\/gw\/odata\/SAP\/[^/]+)(\/|$)/.exec(url.pathname)?.[1];
  if (root !== undefined) url.pathname = `${root}/`;
  return url;
}
