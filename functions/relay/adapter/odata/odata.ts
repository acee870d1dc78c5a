/**
 * SAP's OData (V2) sender adapter. Its calls ask for answers in JSON, with a CSRF token fetched from the service. Its
 * answers may contain an error with code and message, and for a batch the answer to each operation.
 *
 * @see SAP Help, "Configure the OData Sender Adapter", "Invoking an OData API"
 */
import type { HttpAnswer } from '../../../http/http.ts';
import { bodyOf, type Message, payloadOf } from '../../../message/message.ts';
import type { Destination, ODataSettings } from '../../../settings/destination.ts';
import type { Token } from '../../../token/token-endpoint.ts';
import type { Finding } from '../../outcome.ts';
import { type Adapter, type AdapterOptions, createAdapter, type Shape } from '../adapter.ts';
import { mediaTypeOf } from '../charset.ts';
import { operationsAsked } from '../multipart.ts';
import { restOf } from '../path.ts';
import { BATCH, readBatch } from './batch.ts';
import { errorFindingIn, meaningOf } from './finding.ts';

/** The answer to a batch contains an answer to each operation. */
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
    const error = await errorFindingIn(answer, token);
    const isNamed = pathFrom !== undefined && restOf(message, pathFrom) !== '';
    return error === undefined ? undefined : { ...meaningOf(status, isNamed), ...error };
  }

  return createAdapter(options, { shape, read, csrfUrl: serviceRoot });
}

/** With the payload in memory: its operations are counted after the answer, which must not need S3 again. */
async function batchShape(message: Message, headers: Record<string, string>): Promise<Shape> {
  return { headers, keepBytes: BATCH_ANSWER_BYTES, body: bodyOf(await payloadOf(message)) };
}

/** The service document, which is made of the service's metadata: fetching a token there runs no flow. */
function serviceRoot(endpoint: URL): URL {
  const url = new URL(endpoint);
  const root = /^(.*\/gw\/odata\/SAP\/[^/]+)(\/|$)/.exec(url.pathname)?.[1];
  if (root !== undefined) url.pathname = `${root}/`;
  return url;
}
